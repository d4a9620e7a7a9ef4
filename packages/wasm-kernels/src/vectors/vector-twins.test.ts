import * as fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { loadVectorKernels } from "./load-vector-kernels.ts";
import type { ModelUpdate, UpdateEncoding } from "./model-update.ts";
import { referenceVectorKernels } from "./reference/reference-vector-kernels.ts";
import type { VectorKernels } from "./vector-kernels.ts";

const slow = referenceVectorKernels();
let fast: VectorKernels;
beforeAll(async () => {
  fast = await loadVectorKernels({ backend: "wasm" });
});
afterAll(() => fast.dispose());

/** Throws at the first element that differs by Object.is. */
function expectSame(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (got.length !== expected.length)
    throw new Error(`expected ${expected.length} elements; got ${got.length}`);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(got[i], expected[i]))
      throw new Error(`element ${i}: expected ${expected[i]}; got ${got[i]}`);
  }
}

// Lengths around the blocks of 16 and the windows of 16384.
const length = fc.constantFrom(1, 3, 4, 5, 15, 16, 17, 512, 1003, 16384, 16385);
const seeded = (seed: number) => {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8;
};

function update({
  encoding,
  length,
  seed,
}: {
  encoding: UpdateEncoding;
  length: number;
  seed: number;
}): ModelUpdate {
  const next = seeded(seed);
  const number = () => (next() / 2 ** 23 - 1) * 10 ** ((next() % 7) - 3);
  if (encoding === "f32") return { encoding, values: Float32Array.from({ length }, number) };
  // Half-precision values of every kind except infinities and NaN; with subnormals for odd seeds.
  if (encoding === "f16")
    return {
      encoding,
      values: Uint16Array.from({ length }, () =>
        ((bits) =>
          (bits & 0x7c00) === 0x7c00 || (seed % 2 === 0 && (bits & 0x7c00) === 0) ? bits & 0x8000 : bits)(
          next() & 0xffff,
        ),
      ),
    };
  if (encoding === "int8")
    return { encoding, values: Int8Array.from({ length }, next), scale: Math.abs(number()) };
  const indices = Uint32Array.from(Array.from({ length }, (_, i) => i).filter(() => next() % 5 === 0));
  return { encoding, indices, values: Float32Array.from(indices, number) };
}

const round = fc.record({
  encoding: fc.constantFrom("f32", "f16", "int8", "topk"),
  length,
  weights: fc.array(
    fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 1e-3, max: 1e6, noNaN: true })),
    { minLength: 1, maxLength: 23 },
  ),
  seed: fc.integer({ min: 0, max: 1e6 }),
  clipNorm: fc.constantFrom(undefined, 0.5, 100),
});
const some = { numRuns: 60 };

describe("the WebAssembly and reference averaging kernels", () => {
  it.each(["f32", "f64"] as const)(
    "return the same mean of updates that arrive one by one, in %s",
    (accumulator) => {
      fc.assert(
        fc.property(round, ({ encoding, length, weights, seed, clipNorm }) => {
          const mean = (kernels: VectorKernels) => {
            using sum = kernels.weightedMean({ length, accumulator });
            weights.forEach((weight, i) =>
              sum.add(update({ encoding, length, seed: seed + i }), {
                weight,
                ...(clipNorm === undefined ? {} : { clipNorm }),
              }),
            );
            return sum.result();
          };
          expectSame(mean(fast), mean(slow));
        }),
        some,
      );
    },
  );

  it("return the same mean of resident updates", () => {
    fc.assert(
      fc.property(round, ({ encoding, length, weights, seed, clipNorm }) => {
        const mean = (kernels: VectorKernels) => {
          using bucket = kernels.updateBucket({ length, capacity: weights.length, encoding });
          weights.forEach((weight, i) =>
            bucket.add(update({ encoding, length, seed: seed + i }), { weight }),
          );
          return bucket.mean(clipNorm === undefined ? {} : { clipNorm }).slice();
        };
        expectSame(mean(fast), mean(slow));
      }),
      some,
    );
  });

  it("return the same medians and trimmed means", () => {
    fc.assert(
      fc.property(
        fc.record({
          length,
          clients: fc.integer({ min: 1, max: 20 }),
          seed: fc.nat(1e6),
          trim: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        ({ length, clients, seed, trim }) => {
          const both = (kernels: VectorKernels) => {
            using bucket = kernels.updateBucket({ length, capacity: clients });
            for (let i = 0; i < clients; i++)
              bucket.add(update({ encoding: "f32", length, seed: seed + i }), { weight: 1 });
            const most = Math.ceil(clients / 2) - 1;
            return {
              median: bucket.median().slice(),
              trimmed: bucket.trimmedMean({ trim: Math.round(trim * most) }).slice(),
            };
          };
          const [got, expected] = [both(fast), both(slow)];
          expectSame(got.median, expected.median);
          expectSame(got.trimmed, expected.trimmed);
        },
      ),
      some,
    );
  });
});

describe("the WebAssembly and reference galleries", () => {
  it("return the same f32 scores, for one query and for many", () => {
    const shape = fc.record({
      rows: fc.constantFrom(1, 7, 8, 9, 16, 17, 255, 256, 257, 800),
      dimensions: fc.constantFrom(1, 3, 4, 64, 127),
      queries: fc.constantFrom(1, 2, 4, 5, 9),
      k: fc.constantFrom(1, 5, 20),
      seed: fc.nat(1e6),
      threshold: fc.constantFrom(undefined, 0, 0.2),
    });
    fc.assert(
      fc.property(shape, ({ rows, dimensions, queries, k, seed, threshold }) => {
        const next = seeded(seed);
        const vectors = (count: number) =>
          Float32Array.from({ length: count * dimensions }, () => next() / 2 ** 23 - 1 + 1e-6);
        const [enrolled, asked] = [vectors(rows), vectors(queries)];
        const scores = (kernels: VectorKernels) => {
          using gallery = kernels.gallery({ dimensions });
          gallery.set(
            Array.from({ length: rows }, (_, i) => i),
            enrolled,
          );
          for (let i = 0; i < rows; i += 5) gallery.delete(i);
          return gallery
            .match({ queries: asked, k, ...(threshold === undefined ? {} : { threshold }) })
            .map((found) => found.map(({ score }) => score));
        };
        const [got, expected] = [scores(fast), scores(slow)];
        expected.forEach((list, i) => expectSame(got[i]!, list));
      }),
      some,
    );
  });

  it.each(["int8", "binary"] as const)(
    "compare all rows of %s exactly if there are as many candidates",
    (precision) => {
      const next = seeded(5);
      const vectors = (count: number) =>
        Float32Array.from({ length: count * 64 }, () => next() / 2 ** 23 - 1);
      const [enrolled, asked] = [vectors(700), vectors(6)];
      const best = (kernels: VectorKernels) => {
        using gallery = kernels.gallery({ dimensions: 64, precision });
        gallery.set(
          Array.from({ length: 700 }, (_, i) => i),
          enrolled,
        );
        return gallery
          .match({ queries: asked, k: 10, candidates: 700 })
          .map((found) => found.map(({ id }) => Number(id)));
      };
      best(slow).forEach((ids, i) => expectSame(best(fast)[i]!, ids));
    },
  );
});
