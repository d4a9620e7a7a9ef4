import { SednaError } from "@sedna-js/core";
import { readChunks } from "@sedna-js/core/async";
import { messageOf } from "@sedna-js/core/errors";
import { sha256, type Sha256 } from "#platform/storage";
import type { Reply } from "../http/http-request.ts";
import type { FederationHttp } from "./federation-http.ts";

/** Options of {@link createParameterFetcher}. */
export interface ParameterFetcherOptions {
  readonly http: FederationHttp;
  /** Time without data after which a download fails, in ms. */
  readonly stallMs: number;
}

/** Fetches the parameters of a model version. See {@link createParameterFetcher}. */
export type ParameterFetcher = (
  version: number,
  options: { readonly length: number; readonly signal: AbortSignal },
) => Promise<Float32Array>;

/** A partially received model. */
interface Begun {
  readonly version: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** ETag of the content. */
  readonly tag: string;
  readonly hash: Sha256;
  done: number;
}

const ACTION = "fetch the federation's model";
const MAX_REFUSAL_BYTES = 2048;

/** What `receive` takes. */
interface ReceiveOptions {
  readonly partial: Begun;
  readonly alive: () => void;
  readonly signal: AbortSignal;
}

/**
 * Creates a function that fetches a model's flat parameters. If a download is interrupted, the received bytes
 * stay in memory and the next call for the same version resumes from there. Only parameters with the expected
 * length and hash are returned.
 */
export function createParameterFetcher({ http, stallMs }: ParameterFetcherOptions): ParameterFetcher {
  let kept: Begun | undefined;

  const fail = (
    message: string,
    options: {
      readonly code?: "cloud-garbage" | "cloud-unreachable" | "cloud-timeout";
      readonly cause?: unknown;
    } = {},
  ): SednaError => {
    const { code = "cloud-garbage", cause } = options;
    return new SednaError(`${ACTION}: ${message}`, {
      code,
      retryable: true,
      cause,
    });
  };

  /** Returns the partial download if the response continues it, else a new one. */
  const begin = (
    response: Response,
    { version, total }: { readonly version: number; readonly total: number },
  ): Begun => {
    const { status, headers } = response;
    const tag = headers.get("etag") ?? "";
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "");
    if (
      status === 206 &&
      kept &&
      kept.tag === tag &&
      Number(range?.[1]) === kept.done &&
      Number(range?.[2]) === total
    )
      return kept;
    kept = undefined;
    if (status !== 200) throw fail(`expected the rest of the model; got status ${status} with another range`);
    const length = headers.get("content-length");
    // Content-Length counts the transferred bytes, so check it only if the body is not compressed.
    if (length !== null && !headers.has("content-encoding") && Number(length) !== total)
      throw fail(`expected ${total} bytes; got ${length}`);
    return { version, bytes: new Uint8Array(total), tag, hash: sha256(), done: 0 };
  };

  const receive = async (response: Response, { partial, alive, signal }: ReceiveOptions): Promise<void> => {
    for await (const piece of readChunks(response, signal)) {
      alive();
      if (partial.done + piece.length > partial.bytes.length) {
        kept = undefined;
        throw fail(`expected ${partial.bytes.length} bytes; got more`);
      }
      partial.bytes.set(piece, partial.done);
      partial.hash.update(piece);
      partial.done += piece.length;
    }
  };

  return async (version, { length, signal }) => {
    const total = 4 * length;
    if (kept && (kept.version !== version || kept.bytes.length !== total)) kept = undefined;
    const path = `/models/${version}`;
    const token = http.session.token();
    const limit = new AbortController();
    const follow = (): void => limit.abort(signal.reason);
    signal.addEventListener("abort", follow, { once: true });
    if (signal.aborted) follow();
    const stop = (): void =>
      limit.abort(fail(`expected data; got none for ${stallMs} ms`, { code: "cloud-timeout" }));
    let stall = setTimeout(stop, stallMs);
    const alive = (): void => {
      clearTimeout(stall);
      stall = setTimeout(stop, stallMs);
    };
    try {
      const resume = kept && {
        range: `bytes=${kept.done}-`,
        ...(kept.tag.startsWith('"') && { "if-range": kept.tag }),
      };
      const response = await http.fetch(http.url(path), {
        headers: { authorization: `Bearer ${token}`, ...resume },
        signal: limit.signal,
        redirect: "error",
      });
      try {
        if (!response.ok)
          throw (
            http.failure(await refusalOf(response), { action: ACTION, url: http.url(path), token }) ??
            fail(`expected status 200; got ${response.status}`)
          );
        const partial = (kept = begin(response, { version, total }));
        await receive(response, { partial, alive, signal: limit.signal });
        if (partial.done < total)
          throw fail(`expected ${total} bytes; got ${partial.done}`, { code: "cloud-unreachable" });
        kept = undefined;
        const promised = /^(?:W\/)?"([a-f0-9]{64})"$/.exec(partial.tag)?.[1];
        const hash = partial.hash.hex();
        if (hash !== promised) throw fail(`expected the hash ${promised ?? "in its ETag"}; got ${hash}`);
        return new Float32Array(partial.bytes.buffer);
      } finally {
        // Free the connection if the body was not read to its end.
        response.body?.cancel().catch(() => {});
      }
    } catch (cause) {
      signal.throwIfAborted();
      if (limit.signal.aborted) throw limit.signal.reason;
      if (cause instanceof SednaError) throw cause;
      throw fail(`expected the whole model; the connection failed: ${messageOf(cause)}`, {
        code: "cloud-unreachable",
        cause,
      });
    } finally {
      clearTimeout(stall);
      signal.removeEventListener("abort", follow);
    }
  };
}

async function refusalOf(response: Response): Promise<Reply> {
  const body = new Uint8Array(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
  return { status: response.status, headers: response.headers, body: body.subarray(0, MAX_REFUSAL_BYTES) };
}
