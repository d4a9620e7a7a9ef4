import { abortable } from "./abortable.ts";

/**
 * Yields a response's body in chunks. Stops when `signal` aborts, even if `fetch` received the same signal:
 * an engine may collect the link between a signal and a body that is still being read (Node does), and a
 * silent server would block forever. If the consumer stops early, the rest is not read.
 *
 * @throws The signal's reason, or the connection's error.
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
    // Free the connection. Do not await: a dead connection may never settle.
    void reader.cancel().catch(() => {});
  }
}
