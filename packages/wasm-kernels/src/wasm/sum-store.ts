import type { ModelUpdate } from "../model-update.ts";
import type { SumStore, WeightedMeanSpec } from "../weighted-mean.ts";
import { padded } from "./padding.ts";
import type { VectorMemory } from "./vector-exports.ts";

/** Numbers that go in at a time: they stay in the L2 cache until they are added. */
const WINDOW = 16384;

/** Bytes of `SparseClient` in `rust/src/averaging/sparse_sum.rs`. */
const SPARSE_CLIENT = 12;

/** Numbers of an update as f32 in kernel memory, with padding. */
interface Resident {
  readonly address: number;
  readonly count: number;
  /** Sum of their squares; not finite when one of them isn't. */
  squares(): number;
}

type Dense = Exclude<ModelUpdate, { readonly encoding: "topk" }>;

/** The sum in the module. Updates go through a window, unless they were written into `incoming` memory. */
export function wasmSumStore(memory: VectorMemory, { length, accumulator }: WeightedMeanSpec): SumStore {
  const { exports } = memory;
  const size = padded(length);
  const bytes = size * (accumulator === "f32" ? 4 : 8);
  const sums = memory.allocate(bytes);
  // A place of its own, because the part to add lies in the scratch.
  const factor = memory.allocate(4);
  let room = 0;
  const clear = () => void memory.bytes(sums, bytes).fill(0);
  clear();

  /** Calls `use` with all of the update, a part at a time, and where the part starts. */
  const eachPart = (update: Dense, use: (part: Resident, first: number) => void): void => {
    const { values } = update;
    if (room !== 0 && values.buffer === exports.memory.buffer && values.byteOffset === room) return use({ address: room, count: size, squares: () => exports.f32_squares(room, size) }, 0);
    for (let first = 0; first < values.length; first += WINDOW) use(load(memory, update, first), first);
  };

  const addPart = ({ address, count }: Resident, { first, weight }: { first: number; weight: number }): void => {
    if (accumulator === "f64") return exports.f64_accumulate(address, count, weight, sums + 8 * first);
    memory.floats(factor, 1)[0] = weight;
    exports.f32_sum(address, count, factor, 1, sums + 4 * first, count, 1);
  };

  const scatter = ({ indices, values }: Extract<ModelUpdate, { encoding: "topk" }>, weight: number): void => {
    if (accumulator === "f64") {
      const all = memory.doubles(sums, length);
      return indices.forEach((index, i) => (all[index]! += values[i]! * weight));
    }
    const [where, what, client] = memory.scratch(4 * indices.length, 4 * indices.length, SPARSE_CLIENT) as [number, number, number];
    memory.words(where, indices.length).set(indices);
    memory.floats(what, indices.length).set(values);
    memory.words(client, 2).set([0, indices.length]);
    memory.floats(client + 8, 1)[0] = weight;
    exports.sparse_sum(where, what, indices.length, client, 1, sums, size, 1);
  };

  return {
    incoming() {
      if (room === 0) {
        room = memory.allocate(4 * size);
        memory.floats(room, size).fill(0, length);
      }
      return memory.floats(room, length);
    },
    squares(update) {
      // The entries of a sparse update are squared like those of a dense one of their number.
      const dense: Dense = update.encoding === "topk" ? { encoding: "f32", values: update.values } : update;
      let squares = 0;
      eachPart(dense, (part) => (squares += part.squares()));
      return squares;
    },
    add(update, weight) {
      if (update.encoding === "topk") scatter(update, weight);
      else eachPart(update, (part, first) => addPart(part, { first, weight }));
    },
    scaled(factor) {
      const result = new Float32Array(length);
      for (let first = 0; first < length; first += WINDOW) {
        const count = Math.min(WINDOW, size - first);
        const [out, weight] = memory.scratch(4 * count, 4) as [number, number];
        memory.floats(weight, 1)[0] = factor;
        if (accumulator === "f64") exports.f64_scaled(sums + 8 * first, count, factor, out);
        else exports.f32_sum(sums + 4 * first, count, weight, 1, out, count, 0);
        result.set(memory.floats(out, Math.min(count, length - first)), first);
      }
      return result;
    },
    clear,
    dispose() {
      memory.free(sums);
      memory.free(factor);
      if (room !== 0) memory.free(room);
      room = 0;
    },
  };
}

/** Copies a window of the update in, and decodes it where it isn't f32. */
function load(memory: VectorMemory, update: Dense, first: number): Resident {
  const { exports } = memory;
  const values = update.values.subarray(first, first + WINDOW);
  const count = padded(values.length);
  const [address, encoded, small] = memory.scratch(4 * count, update.encoding === "f32" ? 0 : update.values.BYTES_PER_ELEMENT * count, 8) as [number, number, number];
  const fill = (view: Float32Array | Uint16Array | Int8Array): void => {
    view.set(values);
    view.fill(0, values.length);
  };
  if (update.encoding === "f32") fill(memory.floats(address, count));
  if (update.encoding === "int8") {
    fill(memory.signedBytes(encoded, count));
    memory.words(small, 1)[0] = 1; // A pair of factors: 1 and 0.
    memory.floats(small + 4, 1)[0] = update.scale;
    exports.int8_sum(encoded, count, small, small + 4, 1, address, count, 0);
    return { address, count, squares: () => exports.int8_squares(encoded, count) * Math.fround(update.scale) ** 2 };
  }
  if (update.encoding === "f32") return { address, count, squares: () => exports.f32_squares(address, count) };
  fill(memory.halves(encoded, count));
  const found = exports.f16_scan(encoded, count);
  memory.floats(small, 1)[0] = 1;
  exports.f16_sum(encoded, count, found >> 1, small, 1, address, count, 0);
  return { address, count, squares: () => ((found & 1) === 1 ? exports.f32_squares(address, count) : NaN) };
}
