import type { ModelUpdate } from "../model-update.ts";
import type { AccumulatorStore, WeightedMeanSpec } from "../weighted-mean.ts";
import { BLOCK, padded } from "./padding.ts";
import { SPARSE_CLIENT_BYTES, writeSparseClient } from "./sparse-client.ts";
import type { VectorMemory } from "./vector-exports.ts";

/** Elements that are copied in at a time: they stay in the L2 cache until they are added. */
const WINDOW = 16384;

/** Bytes of the weight of an f16 window, or of the pair of factors and the unit of an int8 window. */
const SMALL_BYTES = 8;

/** Elements of an update as f32 in kernel memory, with padding. */
interface Resident {
  readonly address: number;
  readonly count: number;
  /** Returns the sum of squares; not finite if an element is not finite. */
  squares(): number;
}

type Dense = Exclude<ModelUpdate, { readonly encoding: "topk" }>;

/**
 * Creates an accumulator in the module. Updates are copied in windows, unless they are f32 and already in
 * kernel memory.
 */
export function wasmAccumulatorStore(
  memory: VectorMemory,
  { length, accumulator }: WeightedMeanSpec,
): AccumulatorStore {
  const { exports } = memory;
  const size = padded(length);
  const bytes = size * (accumulator === "f32" ? 4 : 8);
  // The factor has its own block, because the part to add may be in scratch memory.
  const [sums, factor] = memory.allocateAll(bytes, 4) as [number, number];
  // Reserve the scratch memory that any part needs: an update may be in this memory, and growing the memory
  // would detach it.
  const most = Math.min(WINDOW, size);
  memory.scratch(4 * most, 2 * most, SMALL_BYTES);
  let room = 0;
  const clear = () => void memory.bytes(sums, bytes).fill(0);
  clear();

  /** Calls `use` with each part of the update and the position at which the part starts. */
  const eachPart = (update: Dense, use: (part: Resident, first: number) => void): void => {
    const { values } = update;
    const address = update.encoding === "f32" ? memory.addressOf(values) : undefined;
    // Whole blocks that are in this memory stay in place. The few elements after them are copied, so that
    // they can be padded.
    const inPlace = address === undefined ? 0 : values.length - (values.length % BLOCK);
    if (address !== undefined && inPlace > 0)
      use({ address, count: inPlace, squares: () => exports.f32_squares(address, inPlace) }, 0);
    for (let first = inPlace; first < values.length; first += WINDOW) use(load(memory, update, first), first);
  };

  const addPart = (
    { address, count }: Resident,
    { first, weight }: { first: number; weight: number },
  ): void => {
    if (accumulator === "f64") return exports.f64_accumulate(address, count, weight, sums + 8 * first);
    memory.floats(factor, 1)[0] = weight;
    exports.f32_sum(address, count, factor, 1, sums + 4 * first, count, 1);
  };

  const scatter = (update: Extract<ModelUpdate, { encoding: "topk" }>, weight: number): void => {
    // Copy the entries, because they may be in this memory, and many entries require scratch memory to grow.
    const [indices, values] = [update.indices.slice(), update.values.slice()];
    if (accumulator === "f64") {
      const all = memory.doubles(sums, length);
      return indices.forEach((index, i) => (all[index]! += values[i]! * weight));
    }
    const [where, what, client] = memory.scratch(
      4 * indices.length,
      4 * indices.length,
      SPARSE_CLIENT_BYTES,
    ) as [number, number, number];
    memory.words(where, indices.length).set(indices);
    memory.floats(what, indices.length).set(values);
    writeSparseClient(memory, client, { next: 0, end: indices.length, weight });
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
      // The entries of a sparse update are squared like a dense update of their number. Copy them, because
      // they may be in the buffer of a dense update.
      const dense: Dense =
        update.encoding === "topk" ? { encoding: "f32", values: update.values.slice() } : update;
      let squares = 0;
      eachPart(dense, (part) => (squares += part.squares()));
      return squares;
    },
    add(update, weight) {
      if (update.encoding === "topk") scatter(update, weight);
      else eachPart(update, (part, first) => addPart(part, { first, weight }));
    },
    scaled(factor) {
      const values = accumulator === "f32" ? memory.floats(sums, length) : memory.doubles(sums, length);
      const result = new Float32Array(length);
      for (let i = 0; i < length; i++) result[i] = values[i]! * factor;
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

/** Copies a window of the update in and decodes it unless it is f32. */
function load(memory: VectorMemory, update: Dense, first: number): Resident {
  const { exports } = memory;
  const values = update.values.subarray(first, first + WINDOW);
  const count = padded(values.length);
  const encodedBytes = update.encoding === "f32" ? 0 : values.BYTES_PER_ELEMENT * count;
  const [address, encoded, small] = memory.scratch(4 * count, encodedBytes, SMALL_BYTES) as [
    number,
    number,
    number,
  ];
  const fill = (view: Float32Array | Uint16Array | Int8Array): void => {
    view.set(values);
    view.fill(0, values.length);
  };
  switch (update.encoding) {
    case "f32":
      fill(memory.floats(address, count));
      return { address, count, squares: () => exports.f32_squares(address, count) };
    case "int8":
      fill(memory.signedBytes(encoded, count));
      memory.words(small, 1)[0] = 1; // A pair of factors: 1 and 0.
      memory.floats(small + 4, 1)[0] = update.scale;
      exports.int8_sum(encoded, count, small, small + 4, 1, address, count, 0);
      return {
        address,
        count,
        squares: () => exports.int8_squares(encoded, count) * Math.fround(update.scale) ** 2,
      };
    case "f16": {
      fill(memory.halves(encoded, count));
      const found = exports.f16_scan(encoded, count);
      memory.floats(small, 1)[0] = 1;
      exports.f16_sum(encoded, count, found >> 1, small, 1, address, count, 0);
      return {
        address,
        count,
        squares: () => ((found & 1) === 1 ? exports.f32_squares(address, count) : NaN),
      };
    }
  }
}
