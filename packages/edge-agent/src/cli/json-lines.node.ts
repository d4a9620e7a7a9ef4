import { once } from "node:events";
import type { Writable } from "node:stream";
import type { JointResult } from "@sedna-js/core";

/** Writes answers as lines of JSON; see {@link createJsonLines}. */
export interface JsonLines {
  /** Resolves when the reader keeps up. Never rejects. */
  write(answer: JointResult<unknown>): Promise<void>;
}

/** Lines of JSON on a stream. A reader that is slow is waited for; one that has gone is told once, and the agent goes on without it. */
export function createJsonLines(
  stream: Writable,
  { onGone }: { readonly onGone: (error: Error) => void },
): JsonLines {
  const state = { gone: false };
  stream.on("error", (error: Error) => {
    if (!state.gone) onGone(error);
    state.gone = true;
  });
  return {
    async write({ index, isHardExample, source, reason, final, timings, bytes, result, error, sample }) {
      if (state.gone) return;
      const { timestamp } = (sample ?? {}) as { readonly timestamp?: unknown };
      const line = {
        index,
        ...(typeof timestamp === "number" && { timestamp }),
        source,
        reason,
        final,
        isHardExample,
        timings,
        bytes,
        result,
        ...(error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) }),
      };
      if (
        stream.write(
          `${JSON.stringify(line, (_, value: unknown) => (ArrayBuffer.isView(value) ? [...(value as unknown as Iterable<number>)] : value))}\n`,
        )
      )
        return;
      // Whichever comes first takes the listeners of the other off: a pipe that is slow for weeks must not gather them.
      const first = new AbortController();
      await Promise.race([once(stream, "drain", first), once(stream, "close", first)]).catch(() => {});
      first.abort();
    },
  };
}
