import { readdir } from "node:fs/promises";
import type { Frame } from "@sedna-js/core";
import { decodeImage } from "../frames/decode-image.node.ts";

const picture = /\.(jpe?g|png|webp)$/i;

/** Returns the names of the image files in a directory, in natural order ("img2" before "img10"). */
export async function imageNames(path: string): Promise<string[]> {
  const order = new Intl.Collator("en", { numeric: true });
  // A name with a leading dot is a file in transfer, as rsync writes it.
  return (await readdir(path))
    .filter((name) => picture.test(name) && !name.startsWith("."))
    .toSorted(order.compare);
}

/** Decodes a file's bytes. An error message contains the file's path. */
export async function decodeFile(file: string, bytes: Uint8Array): Promise<Frame> {
  try {
    return await decodeImage(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) throw new TypeError(`read ${file}: ${cause.message}`, { cause });
    throw cause;
  }
}
