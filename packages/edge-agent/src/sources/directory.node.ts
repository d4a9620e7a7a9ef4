import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Frame, SampleSource } from "@sedna-js/core";
import type { DirectoryOptions } from "./platform.ts";
import { decodeFile, imageNames } from "./picture-files.node.ts";
import { watchedDirectory } from "./watched-directory.node.ts";

/** Implements `directory` of the platform contract for names that end in jpg, jpeg, png, or webp. */
export function directory(
  path: string,
  { watch = false, settleMs, remove, onSkip, signal }: DirectoryOptions = {},
): SampleSource<Frame> {
  if (watch) return watchedDirectory(path, { settleMs, remove, onSkip, signal });
  if (remove) throw new TypeError("read a directory: expected remove together with watch; got remove alone");
  return {
    live: false,
    async *[Symbol.asyncIterator]() {
      for (const name of await imageNames(path)) {
        if (signal?.aborted) return;
        const file = join(path, name);
        const frame = await readFile(file)
          .then((bytes) => decodeFile(file, bytes))
          .catch((error: unknown) => {
            if (!onSkip) throw error;
            onSkip({ path: file, error });
          });
        if (frame) yield frame;
      }
    },
  };
}
