import { loadVectorKernels, referenceKernels, type UpdateEncoding } from "@sedna-js/wasm-kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readUpdateHead, readUpdateMessage } from "../wire/update-message.ts";
import { createUpdateEncoder, type EncodedUpdate } from "./create-update-encoder.ts";
import type { CodecPlan } from "./encode-payload.ts";
import { decodeUpdate, modelUpdate } from "./model-update.ts";

const facts = { round: 1, modelVersion: 0, numSamples: 10 };
const encodings: readonly UpdateEncoding[] = ["f32", "f16", "int8", "topk"];
const planOf = (encoding: UpdateEncoding, more: Partial<CodecPlan> = {}): CodecPlan => ({
  encoding,
  ...(encoding === "topk" && { topkShare: 0.25 }),
  ...more,
});
const decoded = ({ message }: EncodedUpdate): Float32Array => {
  const { head, payload } = readUpdateMessage(message);
  return decodeUpdate(modelUpdate(head, payload), head.length);
};
const norm = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
/** Returns repeatable numbers between -1 and 1. */
const wave = (length: number, seed = 1): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233));
const vectors = fc
  .array(
    fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ min: -1, max: 1, noNaN: true }),
      fc.constantFrom(0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1e-38),
    ),
    { minLength: 1, maxLength: 50 },
  )
  .map((list) => Float32Array.from(list));

describe("an encoded update", () => {
  it("f32: equals the update bit for bit", () => {
    fc.assert(
      fc.property(
        vectors,
        (change) =>
          void expect(
            decoded(
              createUpdateEncoder({ plan: planOf("f32"), length: change.length }).encode(change, facts),
            ),
          ).toEqual(change),
      ),
    );
  });

  it("f16: has an error of at most 2^-11 of each number, or 2^-25, and saturates at 65504", () => {
    fc.assert(
      fc.property(vectors, (change) => {
        const got = decoded(
          createUpdateEncoder({ plan: planOf("f16"), length: change.length }).encode(change, facts),
        );
        return change.every((value, i) =>
          Math.abs(value) > 65_504
            ? got[i] === Math.sign(value) * 65_504
            : Math.abs(got[i]! - value) <= Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
        );
      }),
    );
  });

  it("int8: has an error of at most half its scale, which is 1/127 of the largest magnitude", () => {
    fc.assert(
      fc.property(vectors, (change) => {
        const encoded = createUpdateEncoder({ plan: planOf("int8"), length: change.length }).encode(
          change,
          facts,
        );
        const { scale } = readUpdateMessage(encoded.message).head;
        const most = change.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        // Scales near 0 and near the float32 maximum are rounded coarsely; there the largest number is
        // clamped.
        const slack = most > 3e38 || most < 1e-38 ? scale! * 127 : scale! * 1e-4;
        return (
          scale! <= (most / 127) * 1.001 + 2 ** -149 &&
          decoded(encoded).every((value, i) => Math.abs(value - change[i]!) <= scale! / 2 + slack)
        );
      }),
    );
  });

  it("topk: equals the largest numbers bit for bit, and is 0 elsewhere", () => {
    const change = Float32Array.of(0.1, -5, 0.2, 3, 0, 0.3, -0.4, 0.1);
    const encoded = createUpdateEncoder({ plan: planOf("topk"), length: 8 }).encode(change, facts);
    expect([...decoded(encoded)]).toEqual([0, -5, 0, 3, 0, 0, 0, 0]);
    expect(readUpdateMessage(encoded.message).head.entries).toBe(2);
  });

  it("decodes to the same numbers in the kernels", async () => {
    using kernels = await loadVectorKernels();
    using reference = referenceKernels();
    for (const encoding of encodings) {
      const change = wave(1003);
      const encoded = createUpdateEncoder({ plan: planOf(encoding), length: 1003 }).encode(change, facts);
      const { head, payload } = readUpdateMessage(encoded.message);
      const expected = [...decoded(encoded)];
      for (const backend of [kernels, reference]) {
        using mean = backend.weightedMean({ length: 1003 });
        mean.add(modelUpdate(head, payload), { weight: 1 });
        expect([...mean.result()]).toEqual(expected);
      }
    }
  });

  it("can be read at any offset of a buffer, and is copied only if it is not aligned", () => {
    for (const encoding of encodings) {
      const encoded = createUpdateEncoder({ plan: planOf(encoding), length: 9 }).encode(wave(9), facts);
      for (const skip of [0, 1, 2, 4]) {
        const larger = new Uint8Array(encoded.message.length + 8);
        larger.set(encoded.message, skip);
        const { head, payload } = readUpdateMessage(larger.subarray(skip, skip + encoded.message.length));
        const update = modelUpdate(head, payload);
        expect([...decodeUpdate(update, 9)]).toEqual([...decoded(encoded)]);
        expect(update.values.buffer === larger.buffer).toBe(skip % update.values.BYTES_PER_ELEMENT === 0);
      }
    }
  });

  it("contains only zeros if the update does", () => {
    for (const encoding of encodings) {
      const encoder = createUpdateEncoder({ plan: planOf(encoding, { clipNorm: 1 }), length: 100 });
      const encoded = encoder.encode(new Float32Array(100), facts);
      encoded.commit();
      expect(decoded(encoded).every((value) => value === 0)).toBe(true);
      expect(encoder.state()?.every((value) => value === 0)).not.toBe(false);
    }
  });

  it("int8: takes at most 0.27 of the bytes of f32, from 10,000 parameters on", () => {
    for (const length of [10_000, 12_345, 100_000]) {
      const bytes = (encoding: UpdateEncoding) =>
        createUpdateEncoder({ plan: planOf(encoding), length }).encode(wave(length), {
          ...facts,
          round: 2 ** 40,
          metrics: { loss: Math.PI, accuracy: 1 / 3 },
        }).message.length;
      expect(bytes("int8") / bytes("f32")).toBeLessThanOrEqual(0.27);
    }
  });

  it("carries training metrics, but no loss that is not finite", () => {
    const encoder = createUpdateEncoder({ plan: planOf("f32"), length: 3 });
    const headOf = (metrics: { readonly loss?: number; readonly accuracy?: number }) =>
      readUpdateHead(encoder.encode(wave(3), { ...facts, metrics }).message)!.head;
    expect(headOf({ loss: 0.5, accuracy: 0.25 })).toMatchObject({
      ...facts,
      encoding: "f32",
      length: 3,
      metrics: { loss: 0.5, accuracy: 0.25 },
    });
    expect(headOf({ loss: NaN, accuracy: 0.25 }).metrics).toEqual({ accuracy: 0.25 });
  });
});

describe("clipping", () => {
  it("keeps the norm of an update within the plan's clipNorm, in any encoding, with any residual", () => {
    const limits = fc.constantFrom(1e-30, 1e-8, 1e-6, 1e-3, 1, 100, 1e30);
    fc.assert(
      fc.property(
        fc.constantFrom(...encodings),
        limits,
        fc.array(vectors, { minLength: 1, maxLength: 4 }),
        (encoding, clipNorm, changes) => {
          const length = changes[0]!.length;
          const encoder = createUpdateEncoder({ plan: planOf(encoding, { clipNorm }), length });
          for (const change of changes) {
            const encoded = encoder.encode(
              Float32Array.from({ length }, (_, i) => change[i % change.length]!),
              facts,
            );
            encoded.commit();
            expect(norm(decoded(encoded))).toBeLessThanOrEqual(clipNorm);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("keeps the direction, and does not change an update within clipNorm", () => {
    const change = wave(100);
    const encoded = decoded(
      createUpdateEncoder({ plan: planOf("f32", { clipNorm: 2 }), length: 100 }).encode(change, facts),
    );
    const factor = 2 / norm(change);
    expect(encoded.every((value, i) => Math.abs(value - change[i]! * factor) < 1e-5)).toBe(true);
    expect(
      decoded(
        createUpdateEncoder({ plan: planOf("f32", { clipNorm: 50 }), length: 100 }).encode(change, facts),
      ),
    ).toEqual(change);
  });

  it("scales down halves that rounding lengthened: many numbers just above 2^-25, which round to 2^-24", () => {
    const change = new Float32Array(1000).fill(2 ** -25 * 1.01);
    const encoded = createUpdateEncoder({
      plan: planOf("f16", { clipNorm: norm(change) }),
      length: 1000,
    }).encode(change, facts);
    expect(norm(decoded(encoded))).toBeLessThanOrEqual(norm(change));
  });
});
