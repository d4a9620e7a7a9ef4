import { SednaError } from "@sedna-js/core";

/** One HTTP request. */
export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A 200 reply, read whole. */
export interface Reply {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Options of {@link exchange}. */
export interface ExchangeOptions {
  readonly signal: AbortSignal;
  /** A longer reply is garbage, and not read to its end. */
  readonly maxReplyBytes: number;
  /** Told once the request is over, whatever came of it: the bytes of the reply's body that were read. */
  readonly onBytes: (down: number) => void;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Posts a request and reads the reply, whatever the other side does.
 *
 * @throws {SednaError} `cloud-unreachable` (no connection, cut body), `cloud-busy` (429, 503), `cloud-refused`
 * (other statuses), `cloud-garbage` (too long), all but refusals by 4xx being retryable.
 */
export async function exchange({ url, headers, body }: Exchange, { signal, maxReplyBytes, onBytes, fetch }: ExchangeOptions): Promise<Reply> {
  const read = { bytes: 0 };
  try {
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" });
    if (response.status !== 200) throw await refusal(url, response, read);
    return { headers: response.headers, body: await readAtMost(response, maxReplyBytes, read) };
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof SednaError ? cause : unreachable(url, cause);
  } finally {
    onBytes(read.bytes);
  }
}

function unreachable(url: string, cause: unknown): SednaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SednaError(`ask the big model at ${url}: expected an answer; the connection failed: ${why}`, { code: "cloud-unreachable", retryable: true, cause });
}

async function refusal(url: string, response: Response, read: { bytes: number }): Promise<SednaError> {
  const { status } = response;
  const text = await readAtMost(response, 2048, read).then((bytes) => new TextDecoder().decode(bytes), () => "");
  const message = `ask the big model at ${url}: expected status 200; got ${status}${text ? `: ${text.slice(0, 200)}` : ""}`;
  if (status !== 429 && status !== 503) return new SednaError(message, { code: "cloud-refused", retryable: status >= 500 });
  const seconds = Number(response.headers.get("retry-after"));
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  return new SednaError(message, { code: "cloud-busy", retryable: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

async function readAtMost(response: Response, limit: number, read: { bytes: number }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    const chunk = next.value!;
    read.bytes += chunk.length;
    if (read.bytes > limit) {
      await reader?.cancel();
      throw new SednaError(`read the big model's answer: expected at most ${limit} bytes; got more`, { code: "cloud-garbage", retryable: true });
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(read.bytes);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
