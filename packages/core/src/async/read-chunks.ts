import { abortable } from "./abortable.ts";

/**
 * A response's body, piece by piece. It stops when the signal says so even where `fetch` was given the same
 * one: an engine may collect what connects a signal to a body that is still read (Node's does), and a silent
 * server would hold it for ever. Left early, the rest is not read.
 *
 * @throws the signal's reason; what the connection throws.
 */
export async function* readChunks(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (
      let next = await abortable(reader.read(), signal);
      !next.done;
      next = await abortable(reader.read(), signal)
    )
      yield next.value as Uint8Array<ArrayBuffer>;
  } finally {
    // Frees the connection. Not awaited: a line that is dead does not end either.
    void reader.cancel().catch(() => {});
  }
}
