import { readdir } from "node:fs/promises";
import type { Frame } from "@sedna-js/core";
import { decodeImage } from "../frames/decode-image.node.ts";

const picture = /\.(jpe?g|png|webp)$/i;

/** The names in a directory that are pictures', in the order of their numbers and letters. */
export async function pictureNames(path: string): Promise<string[]> {
  const order = new Intl.Collator("en", { numeric: true });
  // A name with a dot before it is a file on its way, as rsync writes them.
  return (await readdir(path))
    .filter((name) => picture.test(name) && !name.startsWith("."))
    .toSorted(order.compare);
}

/** Decodes a file's bytes; an error names the file. */
export async function decodeFile(file: string, bytes: Uint8Array): Promise<Frame> {
  try {
    return await decodeImage(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) throw new TypeError(`read ${file}: ${cause.message}`, { cause });
    throw cause;
  }
}
