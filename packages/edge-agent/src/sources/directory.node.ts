import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Frame, SampleSource } from "@sedna-js/core";
import { decodeImage } from "../frames/decode-image.node.ts";
import type { DirectoryOptions } from "../platform/contract.ts";

const picture = /\.(jpe?g|png|webp)$/i;

/** See the contract: names that end in jpg, jpeg, png or webp, in the order of their numbers and letters. */
export function directory(path: string, { onSkip, signal }: DirectoryOptions = {}): SampleSource<Frame> {
  return {
    live: false,
    async *[Symbol.asyncIterator]() {
      const order = new Intl.Collator("en", { numeric: true });
      const names = (await readdir(path)).filter((name) => picture.test(name)).toSorted(order.compare);
      for (const name of names) {
        if (signal?.aborted) return;
        const file = join(path, name);
        const frame = await read(file).catch((error: unknown) => {
          if (!onSkip) throw error;
          onSkip({ path: file, error });
        });
        if (frame) yield frame;
      }
    },
  };
}

async function read(file: string): Promise<Frame> {
  try {
    return await decodeImage(await readFile(file));
  } catch (cause) {
    if (cause instanceof TypeError) throw new TypeError(`read ${file}: ${cause.message}`, { cause });
    throw cause;
  }
}
