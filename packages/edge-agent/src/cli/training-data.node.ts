import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { WireError, type Frame, type LabeledSamples, type Tensor } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { readSafetensors } from "@sedna-js/core/wire";
import { decodeImage } from "#platform/frames";
import type { TrainingData } from "../job/train-job.ts";

/** The training data of a job. */
export interface OpenTrainingData {
  readonly samples: LabeledSamples<Frame | Tensor>;
  /** Names of the classes, if the data has names. */
  readonly classes?: readonly string[];
  /**
   * Checks that every label is a class index below `classes`.
   *
   * @throws {WireError} Naming the file and the first label out of range.
   */
  checkLabels(classes: number): void;
}

/** Maximum size of an unpacked IDX file, in bytes. */
const MAX_IDX_BYTES = 2 ** 31 - 1;
const PICTURE = /\.(jpe?g|png|webp)$/i;

/**
 * Opens training data. Reads a table or IDX files completely, and of image folders only the file names.
 *
 * @throws {WireError} If the data cannot be read or has another format.
 */
export async function openTrainingData(data: TrainingData): Promise<OpenTrainingData> {
  if ("pictures" in data) return folders(data.pictures, data.classes);
  return "table" in data ? table(data.table) : idx(data.images, data.labels);
}

async function folders(path: string, given: readonly string[] | undefined): Promise<OpenTrainingData> {
  const order = new Intl.Collator("en", { numeric: true });
  const entries = await readdir(path, { withFileTypes: true }).catch(unreadable(path));
  const classes =
    given ??
    entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .toSorted(order.compare);
  const files: { readonly file: string; readonly label: number }[] = [];
  for (const [label, name] of classes.entries()) {
    const folder = join(path, name);
    const names = (await readdir(folder).catch(unreadable(folder))).filter(
      (file) => PICTURE.test(file) && !file.startsWith("."),
    );
    files.push(...names.toSorted(order.compare).map((file) => ({ file: join(folder, file), label })));
  }
  if (files.length === 0)
    throw new WireError(`read ${path}: expected folders of JPEG, PNG or WebP files; got none`);
  return {
    classes,
    // The label is the index of the folder, so every label is valid.
    checkLabels: () => {},
    samples: {
      version: createHash("sha256").update(JSON.stringify(files)).digest("hex"),
      count: files.length,
      async *[Symbol.asyncIterator]() {
        for (const { file, label } of files) yield { sample: await decodeImage(await readFile(file)), label };
      },
    },
  };
}

async function table(path: string): Promise<OpenTrainingData> {
  const bytes = await readFile(path).catch(unreadable(path));
  const { features, labels } = tensorsIn(bytes, path);
  const [count = 0, width = 0] = features?.shape ?? [];
  if (
    features?.dtype !== "float32" ||
    features.shape.length !== 2 ||
    labels?.shape.length !== 1 ||
    labels.shape[0] !== count
  )
    throw new WireError(
      `read ${path}: expected features as float32 [n, width] and labels [n]; got ${[features, labels].map((one) => (one ? `${one.dtype} [${one.shape}]` : "none")).join(" and ")}`,
    );
  const row = (i: number): Tensor => ({
    dtype: "float32",
    shape: [width],
    data: (features.data as Float32Array).subarray(i * width, (i + 1) * width),
  });
  const label = (i: number): number => Number(labels.data[i]);
  return {
    samples: list(bytes, { count, sample: row, label }),
    checkLabels: labelsOf(path, { count, label }),
  };
}

function tensorsIn(bytes: Uint8Array, path: string): ReturnType<typeof readSafetensors>["tensors"] {
  try {
    return readSafetensors(bytes).tensors;
  } catch (error) {
    throw error instanceof WireError ? new WireError(`${path}: ${error.message}`, { cause: error }) : error;
  }
}

async function idx(images: string, labels: string): Promise<OpenTrainingData> {
  const [pictures, classes] = await Promise.all([readIdx(images, 3), readIdx(labels, 1)]);
  const [count = 0, height = 0, width = 0] = pictures.shape;
  if (classes.shape[0] !== count)
    throw new WireError(
      `read ${labels}: expected ${count} labels, one for each image; got ${classes.shape[0]}`,
    );
  const size = height * width;
  const picture = (i: number): Tensor => ({
    dtype: "float32",
    shape: [1, height, width],
    data: Float32Array.from(pictures.data.subarray(i * size, (i + 1) * size), (value) => value / 255),
  });
  const label = (i: number): number => classes.data[i]!;
  return {
    samples: list(Buffer.concat([pictures.data, classes.data]), { count, sample: picture, label }),
    checkLabels: labelsOf(labels, { count, label }),
  };
}

const labelsOf =
  (path: string, { count, label }: { readonly count: number; readonly label: (i: number) => number }) =>
  (classes: number): void => {
    for (let i = 0; i < count; i++) {
      const found = label(i);
      if (!Number.isInteger(found) || found < 0 || found >= classes)
        throw new WireError(
          `read ${path}: expected labels from 0 to ${classes - 1}, the federation's classes; got ${found} for sample ${i}`,
        );
    }
  };

/**
 * Reads an IDX file, optionally compressed with gzip: two zero bytes, the type, the number of axes, and each
 * axis as a big-endian uint32.
 *
 * Source: yann.lecun.com, "the IDX file format".
 */
async function readIdx(
  path: string,
  axes: number,
): Promise<{ readonly shape: readonly number[]; readonly data: Uint8Array }> {
  const raw = await readFile(path).catch(unreadable(path));
  let bytes: Buffer = raw;
  try {
    if (raw[0] === 0x1f && raw[1] === 0x8b) bytes = gunzipSync(raw, { maxOutputLength: MAX_IDX_BYTES });
  } catch (cause) {
    throw new WireError(`read ${path}: expected a gzip file; got ${messageOf(cause)}`, { cause });
  }
  const start = 4 + 4 * axes;
  if (bytes.length < start || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || bytes[3] !== axes)
    throw new WireError(`read ${path}: expected an IDX file of bytes with ${axes} axes; got another format`);
  const shape = Array.from({ length: axes }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const length = shape.reduce((product, axis) => product * axis, 1);
  if (bytes.length - start !== length)
    throw new WireError(`read ${path}: expected ${length} bytes for [${shape}]; got ${bytes.length - start}`);
  return { shape, data: bytes.subarray(start) };
}

/** Options of {@link list}. */
interface ListOptions {
  readonly count: number;
  readonly sample: (i: number) => Tensor;
  readonly label: (i: number) => number;
}

function list(content: Uint8Array, { count, sample, label }: ListOptions): LabeledSamples<Tensor> {
  return {
    version: createHash("sha256").update(content).digest("hex"),
    count,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < count; i++) yield { sample: sample(i), label: label(i) };
    },
  };
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    throw new WireError(
      `read ${path}: expected training data; got ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      { cause: error },
    );
  };
}
