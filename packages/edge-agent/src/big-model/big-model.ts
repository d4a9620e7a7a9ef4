import { retry } from "@sedna-js/core/async";
import { SednaError, type BigModelCall } from "@sedna-js/core";
import { checkDeadline, withDeadline } from "@sedna-js/core/async";
import type { ImageType } from "@sedna-js/core/vision";
import { baseUrl } from "../http/base-url.ts";
import { exchange, rejection } from "../http/exchange.ts";
import { createCircuitBreaker, type CircuitBreaker, type CircuitBreakerOptions } from "./circuit-breaker.ts";
import { protocols, type BigModelResult, type BigModelSample, type Question } from "./protocols.ts";

/** Options of {@link bigModel}. */
export interface BigModelOptions {
  /** Where the server is, such as `https://cloud.example`; in a page also relative to it, such as `/cloud`. */
  readonly url: string | URL;
  /** Default `sedna`. */
  readonly protocol?: keyof typeof protocols;
  /** The model's name on the server. Default `sedna`, as Sedna's own servers have it. */
  readonly model?: string;
  /** How frames travel. Default JPEG at quality 0.8 in full size. */
  readonly image?: { readonly type?: ImageType; readonly quality?: number; readonly maxSide?: number };
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** Tries after the first, as far as the deadline allows. Default 2. */
  readonly retries?: number;
  readonly breaker?: CircuitBreakerOptions;
  /** Default 16 MiB. */
  readonly maxReplyBytes?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Uniform in [0,1), for the waits between tries. */
  readonly random?: () => number;
}

/** Upper limit of the first delay between two attempts, in ms. */
const RETRY_BASE_MS = 50;
const ACTION = "ask the big model";

/** A big model behind HTTP, and the state of the way to it. */
export interface HttpBigModel {
  readonly circuit: CircuitBreaker["state"];
  /** See the port `BigModel`, which this is for frames, tensors and models' inputs alike. */
  inference<Sample extends BigModelSample>(
    sample: Sample,
    call: BigModelCall,
  ): Promise<BigModelResult<Sample>>;
}

/**
 * The client of a big model: asks within the deadline, tries again where that can help, and stops asking a
 * server that is gone, so that the frames behind a hard one never wait for a dead cloud.
 *
 * @throws {SednaError} from `inference`: `cloud-*`, `circuit-open`, `wire-format`.
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
      `reach the big model: expected a protocol of ${Object.keys(protocols).join(", ")}; got ${String(protocol)}`,
    );
  if (!(Number.isInteger(retries) && retries >= 0))
    throw new RangeError(`reach the big model: expected retries as a whole number from 0 up; got ${retries}`);
  if (!(quality > 0 && quality <= 1))
    throw new RangeError(`reach the big model: expected image.quality above 0 and up to 1; got ${quality}`);
  if (maxSide !== undefined && !(maxSide >= 1))
    throw new RangeError(`reach the big model: expected image.maxSide from 1 up; got ${maxSide}`);
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

/** A server that is gone, busy, late or talks nonsense; not one that says "your request is wrong", nor a caller who leaves. */
function countsAgainstServer(error: unknown): boolean {
  if (error instanceof SednaError) return error.retryable || error.code === "wire-format";
  return error instanceof Error && error.name === "TimeoutError";
}
