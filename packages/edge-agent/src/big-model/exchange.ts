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
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Posts a request and reads the reply, whatever the other side does.
 *
 * @throws {SednaError} `cloud-unreachable` (no connection, cut body), `cloud-busy` (429, 503), `cloud-refused`
 * (other statuses), `cloud-garbage` (too long), all but refusals by 4xx being retryable.
 */
export async function exchange({ url, headers, body }: Exchange, { signal, maxReplyBytes, fetch }: ExchangeOptions): Promise<Reply> {
  let response: Response;
  try {
    response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" });
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(url, cause);
  }
  if (response.status !== 200) throw await refusal(url, response);
  try {
    return { headers: response.headers, body: await readAtMost(response, maxReplyBytes) };
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof SednaError ? cause : unreachable(url, cause);
  }
}

function unreachable(url: string, cause: unknown): SednaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SednaError(`ask the big model at ${url}: expected an answer; the connection failed: ${why}`, { code: "cloud-unreachable", retryable: true, cause });
}

async function refusal(url: string, response: Response): Promise<SednaError> {
  const { status } = response;
  const text = await readAtMost(response, 2048).then((bytes) => new TextDecoder().decode(bytes), () => "");
  const message = `ask the big model at ${url}: expected status 200; got ${status}${text ? `: ${text.slice(0, 200)}` : ""}`;
  if (status !== 429 && status !== 503) return new SednaError(message, { code: "cloud-refused", retryable: status >= 500 });
  const seconds = Number(response.headers.get("retry-after"));
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  return new SednaError(message, { code: "cloud-busy", retryable: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

async function readAtMost(response: Response, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    const chunk = next.value!;
    length += chunk.length;
    if (length > limit) {
      await reader?.cancel();
      throw new SednaError(`read the big model's answer: expected at most ${limit} bytes; got more`, { code: "cloud-garbage", retryable: true });
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
