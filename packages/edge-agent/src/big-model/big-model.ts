import { retry } from "@sedna-js/core/async";
import { SednaError, type BigModelCall } from "@sedna-js/core";
import { checkDeadline, withDeadline } from "@sedna-js/core/async";
import type { ImageType } from "@sedna-js/core/vision";
import { baseUrl } from "../http/base-url.ts";
import { exchange, rejection } from "../http/http-request.ts";
import { createCircuitBreaker, type CircuitBreaker, type CircuitBreakerOptions } from "./circuit-breaker.ts";
import { protocols, type BigModelResult, type BigModelSample, type Question } from "./protocols.ts";

/** Options of {@link bigModel}. */
export interface BigModelOptions {
  /** URL of the server, such as `https://cloud.example`. In a page it may be relative, such as `/cloud`. */
  readonly url: string | URL;
  /** Protocol of the server. Default `sedna`. */
  readonly protocol?: keyof typeof protocols;
  /** Name of the model on the server. Default `sedna`, as on Sedna's own servers. */
  readonly model?: string;
  /** Encoding of the frames. Default: JPEG at quality 0.8 and full size. */
  readonly image?: { readonly type?: ImageType; readonly quality?: number; readonly maxSide?: number };
  /** Token to send as `Authorization: Bearer`. */
  readonly token?: string;
  /** Maximum number of retries, as far as the deadline allows. Default 2. */
  readonly retries?: number;
  readonly breaker?: CircuitBreakerOptions;
  /** Maximum size of a response body, in bytes. Default 16 MiB. */
  readonly maxReplyBytes?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Random source, uniform in [0,1), for the jitter of the retry delay. */
  readonly random?: () => number;
}

/** Upper limit of the first delay between two attempts, in ms. */
const RETRY_BASE_MS = 50;
const ACTION = "call the big model";

/** A big model behind HTTP, with the state of its circuit breaker. */
export interface HttpBigModel {
  readonly circuit: CircuitBreaker["state"];
  /**
   * Runs inference on the server. Implements the `BigModel` port for frames, tensors, and a model's named
   * inputs.
   */
  inference<Sample extends BigModelSample>(
    sample: Sample,
    call: BigModelCall,
  ): Promise<BigModelResult<Sample>>;
}

/**
 * Creates a client of a big model. The client calls the server within the deadline and retries if a retry can
 * help. After several failures in a row a circuit breaker rejects calls at once, so that later frames do not
 * wait for a server that is down.
 *
 * @throws {SednaError} From `inference`: `cloud-*`, `circuit-open`, `wire-format`.
 */
export function bigModel({
  url,
  protocol = "sedna",
  model = "sedna",
  image: { type = "image/jpeg", quality = 0.8, maxSide } = {},
  token,
  retries = 2,
  breaker: breakerOptions,
  maxReplyBytes = 16 * 2 ** 20,
  fetch = (input, init) => globalThis.fetch(input, init),
  random,
}: BigModelOptions): HttpBigModel {
  if (!Object.hasOwn(protocols, protocol))
    throw new RangeError(
      `create the big model client: expected protocol to be one of ${Object.keys(protocols).join(", ")}; got ${String(protocol)}`,
    );
  if (!(Number.isInteger(retries) && retries >= 0))
    throw new RangeError(
      `create the big model client: expected retries as a whole number from 0 up; got ${retries}`,
    );
  if (!(quality > 0 && quality <= 1))
    throw new RangeError(
      `create the big model client: expected image.quality above 0 and up to 1; got ${quality}`,
    );
  if (maxSide !== undefined && !(maxSide >= 1))
    throw new RangeError(`create the big model client: expected image.maxSide from 1 up; got ${maxSide}`);
  const base = baseUrl(url);
  const breaker = createCircuitBreaker(breakerOptions);
  const ask = protocols[protocol]({
    url: base,
    model,
    encode: (frame) => frame.encode({ type, quality, ...(maxSide === undefined ? {} : { maxSide }) }),
  });

  return {
    get circuit() {
      return breaker.state;
    },
    async inference<Sample extends BigModelSample>(
      sample: Sample,
      { signal, deadlineMs, onTransfer }: BigModelCall,
    ): Promise<BigModelResult<Sample>> {
      checkDeadline(deadlineMs);
      const call = breaker.admit();
      const exchangeOnce = async (
        { request, read }: Question,
        limit: AbortSignal,
      ): Promise<BigModelResult<Sample>> => {
        const headers =
          token === undefined ? request.headers : { ...request.headers, authorization: `Bearer ${token}` };
        const onBytes = (down: number): void => onTransfer?.({ up: request.body.length, down });
        const reply = await exchange(
          { ...request, headers },
          { action: ACTION, signal: limit, maxReplyBytes, fetch, onBytes },
        );
        if (reply.status !== 200) throw rejection(reply, { action: ACTION, url: request.url });
        return read(reply) as BigModelResult<Sample>;
      };
      try {
        const result = await withDeadline(
          async (limit) => {
            const question = await ask(sample);
            limit.throwIfAborted();
            return retry(() => exchangeOnce(question, limit), {
              maxRetries: retries,
              deadlineMs,
              baseMs: RETRY_BASE_MS,
              signal: limit,
              random,
            });
          },
          { deadlineMs, signal, action: `${ACTION} at ${base}` },
        );
        call.succeeded();
        return result;
      } catch (error) {
        if (countsAgainstServer(error)) call.failed();
        else call.ignored();
        throw error;
      }
    },
  };
}

/**
 * Returns whether an error counts as a failure of the server: the server is unreachable, busy, late, or sends
 * a malformed response. A rejected request and an abort by the caller do not count.
 */
function countsAgainstServer(error: unknown): boolean {
  if (error instanceof SednaError) return error.retryable || error.code === "wire-format";
  return error instanceof Error && error.name === "TimeoutError";
}
