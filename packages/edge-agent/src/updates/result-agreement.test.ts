import { describe, expect, it } from "vitest";
import { hasNaN, resultAgreement } from "./result-agreement.ts";

const y = (...data: number[]) => ({
  y: { dtype: "float32", shape: [1, data.length], data: Float32Array.from(data) },
});

describe("resultAgreement()", () => {
  it("compares detections by their boxes", () => {
    const person = [0, 0, 10, 20, 0.9, 0];
    expect(resultAgreement([person, [50, 50, 60, 60, 0.4, 0]], [[1, 0, 10, 20, 0.3, 0]])).toBeCloseTo(2 / 3);
    expect(resultAgreement([], [])).toBe(1);
    expect(resultAgreement([], [person])).toBe(0);
  });

  it("compares class probabilities by the top class", () => {
    expect(resultAgreement(Float32Array.of(0.1, 0.9), Float32Array.of(0.4, 0.6))).toBe(1);
    expect(resultAgreement(Float32Array.of(0.1, 0.9), Float32Array.of(0.6, 0.4))).toBe(0);
    expect(resultAgreement(Float32Array.of(1), Float32Array.of(1, 0))).toBe(0);
  });

  it("compares all other results by their numbers", () => {
    expect(resultAgreement(y(1, 2, 3), y(1, 2, 3))).toBe(1);
    expect(resultAgreement(y(1, 1), y(1, 3))).toBeCloseTo(1 - 2 / 6);
    expect(resultAgreement(y(0, 0), y(0, 0))).toBe(1);
    expect(resultAgreement(y(1, 2), y(1, 2, 3))).toBe(0);
    expect(resultAgreement(y(1), { z: y(1).y })).toBe(0);
    expect(resultAgreement({ name: "cat", score: 1 }, { name: "dog", score: 1 })).toBe(0);
    expect(resultAgreement(y(-1), y(1))).toBe(0);
  });

  it("is 0 for NaN and for a single infinity, and ignores two equal ones", () => {
    expect(resultAgreement(y(NaN), y(1))).toBe(0);
    expect(resultAgreement(y(Infinity), y(1))).toBe(0);
    expect(resultAgreement(y(-Infinity, 1), y(-Infinity, 3))).toBeCloseTo(0.5);
  });
});

describe("hasNaN()", () => {
  it("finds a NaN at any depth", () => {
    expect([y(1, NaN), [[0, 0, 1, 1, NaN, 0]], Float64Array.of(NaN), NaN].map(hasNaN)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([y(1, Infinity), [], null, "NaN", Int32Array.of(1), { a: undefined }].map(hasNaN)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
