import { messageOf, SednaError } from "../errors.ts";
import { readChunks } from "./read-chunks.ts";

/** Options of {@link readAtMost}. */
interface ReadAtMostOptions {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly what: string;
}

/**
 * Returns a response's body, or `undefined` if it is longer than `maxBytes`; then the rest is not read.
 * @throws {SednaError} `cloud-unreachable`, retryable, if the connection breaks.
 */
export async function readAtMost(
  response: Response,
  { maxBytes, signal, what }: ReadAtMostOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const promised = Number(response.headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    if (promised > maxBytes) return void (await response.body?.cancel());
    for await (const piece of readChunks(response, signal)) {
      chunks.push(piece);
      length += piece.length;
      if (length > maxBytes) return undefined;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new SednaError(
      `${what}: expected the whole body; the connection broke after ${length} bytes: ${messageOf(cause)}`,
      { code: "cloud-unreachable", retryable: true, cause },
    );
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
