import { int8Factors } from "../int8-factors.ts";
import type { ModelUpdate } from "../model-update.ts";
import { sortingNetwork } from "../sorting-network.ts";
import type { BucketStore, UpdateBucketSpec } from "../update-bucket.ts";
import { padded } from "./padding.ts";
import { SPARSE_CLIENT_BYTES, writeSparseClient } from "./sparse-client.ts";
import type { VectorMemory } from "./vector-exports.ts";

/** Floats per row of the scratch: `RUN` in `rust/src/averaging/sorted_mean.rs`. */
const SORT_RUN = 64;

const BYTES = { f32: 4, f16: 2, int8: 1, topk: 4 } as const;

/** Creates the storage of resident updates in the module: one block, with a slot every `stride` elements. */
export function wasmBucketStore(memory: VectorMemory, spec: UpdateBucketSpec): BucketStore {
  const { exports } = memory;
  const { length, capacity, encoding } = spec;
  const size = padded(length);
  // Keep an odd number of cache lines between slots. Otherwise all slots would share the same few sets of the
  // cache.
  const stride = encoding === "topk" ? padded(spec.entries) : size + (size % 32 === 0 ? 16 : 0);
  const blockBytes = BYTES[encoding] * stride * capacity;
  const [block, out, indices] = memory.allocateAll(
    blockBytes,
    4 * size,
    encoding === "topk" ? 4 * stride * capacity : 1,
  ) as [number, number, number];
  /** For each update: the scale of int8, whether f16 has no subnormals, or the number of entries of topk. */
  const notes: number[] = [];
  let network = { rows: 0, address: 0, pairs: 0 };

  const addressOf = (index: number): number => block + BYTES[encoding] * stride * index;
  const room = (index: number): ModelUpdate => {
    const address = addressOf(index);
    if (encoding === "f32") return { encoding, values: memory.floats(address, length) };
    if (encoding === "f16") return { encoding, values: memory.halves(address, length) };
    if (encoding === "int8") return { encoding, values: memory.signedBytes(address, length), scale: 1 };
    const entries = {
      values: memory.floats(address, spec.entries),
      indices: memory.words(indices + 4 * stride * index, spec.entries),
    };
    return { encoding, ...entries };
  };

  const networkFor = (rows: number): { address: number; pairs: number } => {
    if (network.rows !== rows) {
      if (network.address !== 0) memory.free(network.address);
      network = { rows: 0, address: 0, pairs: 0 };
      const pairs = sortingNetwork(rows);
      const address = memory.allocate(pairs.byteLength);
      memory.words(address, pairs.length).set(pairs);
      network = { rows, address, pairs: pairs.length / 2 };
    }
    return network;
  };

  return {
    room,
    put(index, update) {
      const address = addressOf(index);
      const given = update.values.buffer === exports.memory.buffer ? update.values.byteOffset : 0;
      if (given >= block && given < address)
        throw new RangeError(
          "add: expected the buffer of this update; got the buffer of an earlier update: call incoming() for each update",
        );
      const target = room(index);
      put(target.values, update.values);
      if (update.encoding === "topk" && target.encoding === "topk") put(target.indices, update.indices);
      const count = encoding === "topk" ? padded(update.values.length) : size;
      const bytes = BYTES[encoding];
      memory.bytes(address + bytes * update.values.length, bytes * (count - update.values.length)).fill(0);
      if (update.encoding === "topk") notes[index] = update.values.length;
      if (update.encoding === "f32" || update.encoding === "topk") return exports.f32_squares(address, count);
      if (update.encoding === "int8") {
        const scale = (notes[index] = Math.fround(update.scale));
        return exports.int8_squares(address, size) * scale ** 2;
      }
      const found = exports.f16_scan(address, size);
      notes[index] = found >> 1;
      return (found & 1) === 1 ? halfSquares(memory, { address, size, scratch: out }) : NaN;
    },
    sum(weights) {
      const clients = weights.length;
      if (encoding === "int8") {
        const { factors, units } = int8Factors(weights.map((weight, i) => weight * notes[i]!));
        const [pairs, unit] = memory.scratch(factors.byteLength, units.byteLength) as [number, number];
        memory.bytes(pairs, factors.byteLength).set(new Uint8Array(factors.buffer));
        memory.floats(unit, units.length).set(units);
        exports.int8_sum(block, stride, pairs, unit, clients, out, size, 0);
      } else if (encoding === "topk") {
        const [table] = memory.scratch(SPARSE_CLIENT_BYTES * clients) as [number];
        weights.forEach((weight, i) => {
          writeSparseClient(memory, table + SPARSE_CLIENT_BYTES * i, {
            next: stride * i,
            end: stride * i + notes[i]!,
            weight,
          });
        });
        exports.sparse_sum(indices, block, stride * clients, table, clients, out, size, 0);
      } else {
        const [factors] = memory.scratch(4 * clients) as [number];
        memory.floats(factors, clients).set(weights);
        if (encoding === "f32") exports.f32_sum(block, stride, factors, clients, out, size, 0);
        else
          exports.f16_sum(
            block,
            stride,
            notes.slice(0, clients).every((plain) => plain === 1) ? 1 : 0,
            factors,
            clients,
            out,
            size,
            0,
          );
      }
      return memory.floats(out, length);
    },
    sortedMean({ count, low, high }) {
      const { address, pairs } = networkFor(count);
      const [scratch] = memory.scratch(4 * SORT_RUN * count) as [number];
      exports.sorted_mean(block, stride, count, scratch, address, pairs, low, high, out, size);
      return memory.floats(out, length);
    },
    dispose() {
      for (const address of [block, indices, out]) memory.free(address);
      if (network.address !== 0) memory.free(network.address);
      network = { rows: 0, address: 0, pairs: 0 };
    },
  };
}

/** Copies the values unless they were written in place. */
function put(
  target: Float32Array | Uint16Array | Int8Array | Uint32Array,
  values: ArrayLike<number> & { readonly buffer: ArrayBufferLike; readonly byteOffset: number },
): void {
  if (values.buffer !== target.buffer || values.byteOffset !== target.byteOffset) target.set(values);
}

/** Options of {@link halfSquares}. */
interface HalfSquaresOptions {
  address: number;
  size: number;
  scratch: number;
}

/**
 * Returns the sum of squares of half-precision values, which are decoded into scratch memory for this
 * purpose.
 */
function halfSquares(memory: VectorMemory, { address, size, scratch }: HalfSquaresOptions): number {
  const [one] = memory.scratch(4) as [number];
  memory.floats(one, 1)[0] = 1;
  memory.exports.f16_sum(address, size, 0, one, 1, scratch, size, 0);
  return memory.exports.f32_squares(scratch, size);
}
