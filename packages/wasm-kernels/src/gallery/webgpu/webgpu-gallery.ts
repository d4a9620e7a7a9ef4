import { outOfRange } from "../../module/check.ts";
import type { AsyncGallery } from "../gallery-port.ts";
import { checkGallery, checkMatch, checkSet, type GalleryId, type GalleryMatch } from "../gallery.ts";
import { normalizedRows } from "../normalized-rows.ts";
import { createReadWriteLock } from "../read-write-lock.ts";
import { createFailureGuard } from "./failure-guard.ts";
import { galleryMatcher, type Matched } from "./gallery-matcher.ts";
import { galleryRows } from "./gallery-rows.ts";
import type { WebgpuDevice } from "./webgpu-device.ts";

/** Device and dimensions of {@link webgpuGallery}. */
export interface WebgpuGalleryOptions {
  /**
   * A `GPUDevice`, which the caller owns. Request higher limits for a gallery of more than 33 million rows.
   */
  readonly device: WebgpuDevice;
  /** Elements per vector, 1..65536. */
  readonly dimensions: number;
}

/**
 * Creates a gallery of f32 rows in GPU memory, for so many rows or queries that the round trip to the GPU
 * (about 1 ms) is short compared with the scan. Rows are padded to 16 bytes and stored in buffers as large as
 * the device limits allow. Scoring and selection run on the GPU; only the results are read back.
 *
 * Calls reject with an Error if the device is lost (`cause` has the reason) or has too little memory. A `set`
 * that rejects in this way changes nothing.
 *
 * @throws {TypeError} If `dimensions` is not a number.
 * @throws {RangeError} If `dimensions` is out of range.
 */
export function webgpuGallery({ device, dimensions: given }: WebgpuGalleryOptions): AsyncGallery {
  const spec = checkGallery({ dimensions: given });
  const { dimensions, precision } = spec;
  const rows = galleryRows(device, dimensions);
  const matcher = galleryMatcher(device);
  // Calls that use the matcher report its failure.
  matcher.catch(() => undefined);
  const ids: GalleryId[] = [];
  const rowOf = new Map<GalleryId, number>();
  const turns = createReadWriteLock();
  const alive = createFailureGuard();
  let disposing: Promise<void> | undefined;

  void device.lost.then((cause) =>
    alive.fail(
      new Error(
        `use a WebGPU gallery: expected a usable device; got a lost device (${cause.reason}): ${cause.message}`,
        { cause },
      ),
    ),
  );

  const assertUsable = (action: string) => {
    if (disposing) throw new Error(`${action}: expected a gallery in use; got a disposed one`);
  };
  const dispose = (): Promise<void> => {
    disposing ??= turns.write(async () => {
      rows.destroy();
      (await matcher.catch(() => undefined))?.destroy();
      ids.length = 0;
      rowOf.clear();
    });
    return disposing;
  };

  const add = async (added: readonly GalleryId[], units: Float32Array): Promise<void> => {
    const size = ids.length + new Set(added.filter((id) => !rowOf.has(id))).size;
    const { mostRows } = await matcher;
    if (size > mostRows)
      outOfRange(
        { action: "set", name: "rows" },
        { expected: `to be at most ${mostRows} (device limit)`, got: size },
      );
    await rows.reserve(size, ids.length);
    for (const run of runsOf(added, { ids, rowOf })) {
      rows.write(run.row, units.subarray(run.from * rows.stride, run.to * rows.stride));
    }
  };

  const remove = async (id: GalleryId): Promise<boolean> => {
    const row = rowOf.get(id);
    if (row === undefined) return false;
    const last = ids.pop()!;
    rowOf.delete(id);
    if (row < ids.length) {
      rows.copy({ from: ids.length, to: row });
      ids[row] = last;
      rowOf.set(last, row);
    }
    return true;
  };

  return {
    dimensions,
    precision,
    get size() {
      return ids.length;
    },
    async set(given, vectors) {
      assertUsable("set");
      checkSet(spec, { ids: given, vectors });
      const added = [...given];
      const units = padded(normalizedRows(vectors, dimensions), { dimensions, stride: rows.stride });
      await turns.write(() => alive.run(() => add(added, units)));
    },
    has(id) {
      assertUsable("has");
      return rowOf.has(id);
    },
    async delete(id) {
      assertUsable("delete");
      return turns.write(() => alive.run(() => remove(id)));
    },
    async match(options) {
      assertUsable("match");
      const { queries, count, k, threshold } = checkMatch(spec, options);
      const units = padded(normalizedRows(queries, dimensions), { dimensions, stride: rows.stride });
      return turns.read(() =>
        alive.run(async () => {
          const kept = Math.min(k, ids.length);
          if (count === 0 || kept === 0) return Array.from({ length: count }, () => []);
          const matched = await (await matcher).match({ rows, total: ids.length, queries: units, kept });
          return Array.from({ length: count }, (_, i) =>
            ranked(matched, { from: i * kept, to: (i + 1) * kept, ids, threshold }),
          );
        }),
      );
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Returns the rows with zeros after each row, so that rows start `stride` elements apart. */
function padded(
  rows: Float32Array,
  { dimensions, stride }: { readonly dimensions: number; readonly stride: number },
): Float32Array {
  if (stride === dimensions) return rows;
  const wide = new Float32Array((rows.length / dimensions) * stride);
  for (let row = 0; row * stride < wide.length; row++)
    wide.set(rows.subarray(row * dimensions, (row + 1) * dimensions), row * stride);
  return wide;
}

interface Run {
  /** Index of the first row. */
  readonly row: number;
  readonly from: number;
  to: number;
}

/** Registers new ids and groups the vectors to write into runs of consecutive rows. */
function runsOf(
  added: readonly GalleryId[],
  { ids, rowOf }: { readonly ids: GalleryId[]; readonly rowOf: Map<GalleryId, number> },
): Run[] {
  const runs: Run[] = [];
  added.forEach((id, i) => {
    const row = rowOf.get(id) ?? ids.push(id) - 1;
    rowOf.set(id, row);
    const run = runs.at(-1);
    if (run && row === run.row + i - run.from) run.to = i + 1;
    else runs.push({ row, from: i, to: i + 1 });
  });
  return runs;
}

interface Ranking {
  readonly from: number;
  readonly to: number;
  readonly ids: readonly GalleryId[];
  readonly threshold: number;
}

function ranked({ rows, scores }: Matched, { from, to, ids, threshold }: Ranking): GalleryMatch[] {
  return Array.from(scores.subarray(from, to), (score, i) => ({ id: ids[rows[from + i]!]!, score }))
    .filter(({ score }) => score >= threshold)
    .toSorted((a, b) => b.score - a.score);
}
