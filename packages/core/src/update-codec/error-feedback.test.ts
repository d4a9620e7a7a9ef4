import { describe, expect, it } from "vitest";
import { readUpdateMessage } from "../wire/update-message.ts";
import { createUpdateEncoder, type EncodedUpdate, type UpdateEncoder } from "./create-update-encoder.ts";
import type { CodecPlan } from "./encode-payload.ts";
import { decodeUpdate, modelUpdate } from "./model-update.ts";

const facts = { round: 1, modelVersion: 0, numSamples: 10 };
const LENGTH = 200;
const lossy: readonly CodecPlan[] = [{ encoding: "int8" }, { encoding: "topk", topkShare: 0.1 }];
const decoded = ({ message }: EncodedUpdate): Float32Array => {
  const { head, payload } = readUpdateMessage(message);
  return decodeUpdate(modelUpdate(head, payload), head.length);
};
const updateView = (round: number): Float32Array =>
  Float32Array.from(
    { length: LENGTH },
    (_, i) => Math.sin(i * 12.9898 + round) * (1 + (i % 7)) + 0.01 * (i % 3),
  );
const distance = (a: Float64Array, b: Float64Array): number =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
const add = (sum: Float64Array, values: Float32Array): void =>
  values.forEach((value, i) => (sum[i]! += value));
const sums = (): { readonly sent: Float64Array; readonly wanted: Float64Array } => ({
  sent: new Float64Array(LENGTH),
  wanted: new Float64Array(LENGTH),
});
const encoderOf = (plan: CodecPlan): UpdateEncoder => createUpdateEncoder({ plan, length: LENGTH });

describe.each(lossy)("error feedback of $encoding", (plan) => {
  it("keeps the error of the sum of sent updates bounded over the rounds", () => {
    const encoder = encoderOf(plan);
    const { sent, wanted } = sums();
    const errors: number[] = [];
    for (let round = 0; round < 400; round++) {
      const change = updateView(round);
      const encoded = encoder.encode(change, facts);
      encoded.commit();
      add(wanted, change);
      add(sent, decoded(encoded));
      errors.push(distance(sent, wanted));
    }
    expect(Math.max(...errors.slice(200))).toBeLessThanOrEqual(Math.max(...errors.slice(0, 200)) * 1.05);
    // The same update in every round accumulates the most: the mean of the sent updates converges to it.
    const steady = sums();
    const same = encoderOf(plan);
    for (let round = 0; round < 400; round++) {
      const encoded = same.encode(updateView(0), facts);
      encoded.commit();
      add(steady.wanted, updateView(0));
      add(steady.sent, decoded(encoded));
    }
    expect(distance(steady.sent, steady.wanted)).toBeLessThan(
      0.05 * distance(steady.wanted, new Float64Array(LENGTH)),
    );
  });

  it("makes the sent updates plus the residual equal to the trained updates", () => {
    const encoder = encoderOf(plan);
    const { sent, wanted } = sums();
    for (let round = 0; round < 30; round++) {
      const encoded = encoder.encode(updateView(round), facts);
      encoded.commit();
      add(wanted, updateView(round));
      add(sent, decoded(encoded));
    }
    add(sent, encoder.state()!);
    expect(distance(sent, wanted)).toBeLessThan(1e-4);
  });

  it("ignores an update that was not committed: the next one is encoded as if it did not exist", () => {
    const [once, twice] = [encoderOf(plan), encoderOf(plan)];
    for (const encoder of [once, twice]) encoder.encode(updateView(1), facts).commit();
    twice.encode(updateView(2), facts);
    expect(twice.encode(updateView(3), facts).message).toEqual(once.encode(updateView(3), facts).message);
    expect(twice.state()).toEqual(once.state());
  });

  it("accepts commits late, twice and in any order, and keeps all residuals", () => {
    const encoder = encoderOf(plan);
    const { sent, wanted } = sums();
    encoder.encode(updateView(0), facts).commit();
    const start = encoder.state()!;
    const updates = [1, 2, 3].map((round) => encoder.encode(updateView(round), facts));
    for (const i of [2, 0, 2, 1, 0]) updates[i]!.commit();
    // Each of the three updates carries the first residual.
    for (const [i, update] of updates.entries()) {
      add(wanted, updateView(i + 1));
      add(sent, decoded(update));
    }
    add(wanted, start);
    add(sent, encoder.state()!);
    expect(distance(sent, wanted)).toBeLessThan(1e-4);
  });

  it("resumes in another process from a saved state, bit for bit", () => {
    const [first, second] = [encoderOf(plan), encoderOf(plan)];
    for (let round = 0; round < 5; round++) first.encode(updateView(round), facts).commit();
    const saved = first.state()!;
    second.restore(saved);
    saved.fill(0);
    expect(second.encode(updateView(6), facts).message).toEqual(first.encode(updateView(6), facts).message);
    second.restore(undefined);
    expect(second.state()).toBeUndefined();
    expect(second.encode(updateView(6), facts).message).toEqual(
      encoderOf(plan).encode(updateView(6), facts).message,
    );
  });

  it("ignores commits of earlier updates after a restore", () => {
    const encoder = encoderOf(plan);
    const before = encoder.encode(updateView(0), facts);
    encoder.restore(updateView(9));
    before.commit();
    expect(encoder.state()).toEqual(updateView(9));
  });

  it("C22: throws on NaN or an infinity, and changes nothing", () => {
    const encoder = encoderOf(plan);
    encoder.encode(updateView(0), facts).commit();
    const state = encoder.state();
    for (const bad of [NaN, Infinity, -Infinity]) {
      const change = updateView(1);
      change[LENGTH - 1] = bad;
      expect(() => encoder.encode(change, facts)).toThrow(
        `expected finite numbers; got ${bad} at ${LENGTH - 1}`,
      );
      expect(() => encoder.restore(change)).toThrow(RangeError);
    }
    expect(() => encoder.encode(new Float32Array(LENGTH + 1), facts)).toThrow(RangeError);
    expect(() => encoder.encode([...updateView(1)] as unknown as Float32Array, facts)).toThrow(TypeError);
    expect(encoder.state()).toEqual(state);
  });

  it("stays finite at the limits of float32", () => {
    for (const value of [3.4028234663852886e38, -3.4e38, 1e-45, 1e-40]) {
      const encoder = encoderOf(plan);
      for (let round = 0; round < 30; round++) {
        const encoded = encoder.encode(new Float32Array(LENGTH).fill(value), facts);
        encoded.commit();
        expect(decoded(encoded).every(Number.isFinite)).toBe(true);
        expect(encoder.state()!.every(Number.isFinite)).toBe(true);
      }
    }
  });
});

describe("an encoder", () => {
  it("keeps no residual for f32 and f16, which omit almost nothing", () => {
    for (const encoding of ["f32", "f16"] as const) {
      const encoder = encoderOf({ encoding });
      encoder.encode(updateView(0), facts).commit();
      expect(encoder.state()).toBeUndefined();
    }
  });

  it.each([
    [{ encoding: "topk" }, "topkShare"],
    [{ encoding: "topk", topkShare: 0 }, "topkShare"],
    [{ encoding: "topk", topkShare: 1.1 }, "topkShare"],
    [{ encoding: "f32", clipNorm: 0 }, "clipNorm"],
    [{ encoding: "f32", clipNorm: NaN }, "clipNorm"],
  ] as const)("rejects the plan %j", (plan, message) => {
    expect(() => encoderOf(plan)).toThrow(message);
  });
});
