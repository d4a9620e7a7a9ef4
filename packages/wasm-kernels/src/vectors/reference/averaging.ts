import { fromHalf, fromHalves } from "../half.ts";
import { int8Factors } from "../int8-factors.ts";
import type { ModelUpdate } from "../model-update.ts";
import type { BucketStore, UpdateBucketSpec } from "../update-bucket.ts";
import type { AccumulatorStore, WeightedMeanSpec } from "../weighted-mean.ts";

/** Returns the update as plain f32 values. */
function decoded(update: ModelUpdate, length: number): Float32Array {
  switch (update.encoding) {
    case "f32":
      return update.values;
    case "f16":
      return fromHalves(update.values);
    case "int8": {
      const scale = Math.fround(update.scale);
      return Float32Array.from(update.values, (value) => value * scale);
    }
    case "topk": {
      const values = new Float32Array(length);
      update.indices.forEach((index, i) => (values[index] = update.values[i]!));
      return values;
    }
  }
}

/** Returns the sum of squares in f64; not finite if an element is not finite. */
function squaresOf(update: ModelUpdate): number {
  const unit = update.encoding === "int8" ? Math.fround(update.scale) ** 2 : 1;
  const decode = update.encoding === "f16" ? fromHalf : (value: number) => value;
  let sum = 0;
  for (const value of update.values) sum += decode(value) ** 2;
  return sum * unit;
}

/** Creates the accumulator in plain TypeScript. */
export function referenceAccumulatorStore({ length, accumulator }: WeightedMeanSpec): AccumulatorStore {
  let room = new Float32Array(0);
  const sums = accumulator === "f32" ? new Float32Array(length) : new Float64Array(length);
  return {
    incoming: () => (room.length === length ? room : (room = new Float32Array(length))),
    squares: squaresOf,
    add(update, weight) {
      const values = decoded(update, length);
      if (accumulator === "f64") values.forEach((value, i) => (sums[i]! += value * weight));
      else values.forEach((value, i) => (sums[i]! += Math.fround(value * Math.fround(weight))));
    },
    scaled: (factor) => Float32Array.from(sums, (sum) => sum * factor),
    clear: () => void sums.fill(0),
    dispose: () => (room = new Float32Array(0)),
  };
}

/** Creates the storage of resident updates in plain TypeScript. */
export function referenceBucketStore({ length, encoding, entries }: UpdateBucketSpec): BucketStore {
  let updates: ModelUpdate[] = [];
  const room = (): ModelUpdate => {
    if (encoding === "f32") return { encoding, values: new Float32Array(length) };
    if (encoding === "f16") return { encoding, values: new Uint16Array(length) };
    if (encoding === "int8") return { encoding, values: new Int8Array(length), scale: 1 };
    return { encoding, values: new Float32Array(entries), indices: new Uint32Array(entries) };
  };
  return {
    room,
    put(index, update) {
      updates[index] = copied(update);
      return squaresOf(update);
    },
    sum(weights) {
      const sums = new Float32Array(length);
      if (encoding === "int8") addIntegers(sums, { updates, weights });
      else
        weights.forEach((weight, k) =>
          decoded(updates[k]!, length).forEach(
            (value, i) => (sums[i]! += Math.fround(value * Math.fround(weight))),
          ),
        );
      return sums;
    },
    sortedMean({ count, low, high }) {
      const share = Math.fround(1 / (high - low));
      const rows = updates.slice(0, count).map((update) => update.values);
      return Float32Array.from({ length }, (_, i) => {
        const middle = rows
          .map((row) => row[i]!)
          .toSorted((a, b) => a - b)
          .slice(low, high);
        return share * middle.reduce((sum, value) => Math.fround(sum + value), 0);
      });
    },
    dispose: () => (updates = []),
  };
}

function copied(update: ModelUpdate): ModelUpdate {
  if (update.encoding === "f32") return { ...update, values: update.values.slice() };
  if (update.encoding === "f16") return { ...update, values: update.values.slice() };
  if (update.encoding === "int8") return { ...update, values: update.values.slice() };
  return { ...update, values: update.values.slice(), indices: update.indices.slice() };
}

/**
 * Adds ten updates at a time as integers and converts each sum to one float, like the module and with the
 * same rounding.
 */
function addIntegers(
  sums: Float32Array,
  { updates, weights }: { readonly updates: readonly ModelUpdate[]; readonly weights: readonly number[] },
): void {
  const scaleOf = (update: ModelUpdate): number =>
    update.encoding === "int8" ? Math.fround(update.scale) : 1;
  const { factors, units } = int8Factors(weights.map((weight, k) => weight * scaleOf(updates[k]!)));
  units.forEach((unit, group) => {
    const members = updates.slice(10 * group, Math.min(weights.length, 10 * group + 10));
    for (let i = 0; i < sums.length; i++) {
      const sum = members.reduce((sum, update, k) => sum + factors[10 * group + k]! * update.values[i]!, 0);
      sums[i]! += Math.fround(Math.fround(sum) * unit);
    }
  });
}
