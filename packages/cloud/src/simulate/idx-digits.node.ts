import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { averagePool } from "@sedna-js/core/datasets";
import { UsageError } from "@sedna-js/core/check";
import type { SampleSet } from "./simulation-data.ts";

/** Maximum size of an unpacked file, in bytes. MNIST's largest file has 47 MB. */
const MAX_BYTES = 2 ** 28;

/**
 * Reads pictures and labels from IDX files, MNIST's format, with or without gzip. Features are the means of
 * each 2 x 2 pixels.
 * @throws {UsageError} If the directory has no such files or the files do not match. Source of the format:
 * LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
 */
export async function idxDigits(directory: string): Promise<SampleSet> {
  const names = await readdir(directory).catch((error: Error) =>
    Promise.reject(new UsageError(`--digits: expected a readable directory; ${error.message}`)),
  );
  const found = async (
    kind: string,
  ): Promise<{ readonly sizes: readonly number[]; readonly values: Uint8Array }> => {
    const name = names.find((one) => one.includes(`${kind}-idx`));
    if (name === undefined)
      throw new UsageError(
        `--digits: expected a file such as train-${kind}-idx${kind === "images" ? 3 : 1}-ubyte or its .gz in ${directory}; got ${names.length} other files`,
      );
    return readIdx(join(directory, name));
  };
  const [images, labels] = [await found("images"), await found("labels")];
  const [count = 0, height = 0, width = 0] = images.sizes;
  if (images.sizes.length !== 3 || labels.sizes.length !== 1 || labels.sizes[0] !== count || count === 0)
    throw new UsageError(
      `--digits: expected as many labels as pictures; got ${labels.sizes[0]} and ${count}`,
    );
  if (height % 2 !== 0 || width % 2 !== 0)
    throw new UsageError(
      `--digits: expected pictures with an even width and height; got ${width} x ${height}`,
    );
  return { samples: averagePool(images.values, { width, height }), labels: Uint32Array.from(labels.values) };
}

async function readIdx(
  path: string,
): Promise<{ readonly sizes: readonly number[]; readonly values: Uint8Array }> {
  const file = await readFile(path);
  const wrong = (what: string): UsageError =>
    new UsageError(`--digits: expected an IDX file of bytes at ${path}; ${what}`);
  const bytes =
    file[0] === 0x1f && file[1] === 0x8b
      ? await promisify(gunzip)(file, { maxOutputLength: MAX_BYTES }).catch((error: Error) =>
          Promise.reject(wrong(error.message)),
        )
      : file;
  const axes = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * axes || bytes.readUInt16BE(0) !== 0 || bytes[2] !== 0x08)
    throw wrong("its header is invalid");
  const sizes = Array.from({ length: axes }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const values = bytes.subarray(4 + 4 * axes);
  if (values.length !== sizes.reduce((product, size) => product * size, 1))
    throw wrong(`its header declares ${sizes.join(" x ")} bytes; it has ${values.length}`);
  return { sizes, values };
}
