import { describe, expect, it } from "vitest";
import { fromPlainError, SednaError, toPlainError, UnknownAlgorithmError, WireError } from "./errors.ts";
import { hardExampleMining } from "./hard-example-mining/hard-example-mining.ts";
import { select } from "./select.ts";

describe("errors", () => {
  it.each([
    new SednaError("busy", {
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: 20,
      cause: new TypeError("why"),
    }),
    new WireError("expected a; got b"),
    new UnknownAlgorithmError("expected A; got B"),
    new TypeError("a shape"),
    new RangeError("a value"),
    new Error("anything"),
  ])("%s keeps its class through structured clone and JSON", (error) => {
    for (const wire of [
      structuredClone(toPlainError(error)),
      JSON.parse(JSON.stringify(toPlainError(error))) as never,
    ]) {
      const rebuilt = fromPlainError(wire);
      expect(rebuilt.constructor).toBe(error.constructor);
      expect(rebuilt).toMatchObject({ ...error, message: error.message });
    }
  });
});

describe("select()", () => {
  it("lists the known names if a name is unknown", () => {
    expect(() => select(hardExampleMining, { method: "ibt" as "IBT" })).toThrow(
      /^select an algorithm: expected one of Threshold, CrossEntropy, IBT, .+; got "ibt"$/,
    );
    expect(() => select(hardExampleMining, { method: "constructor" as "IBT" })).toThrow(
      UnknownAlgorithmError,
    );
  });

  it("accepts Sedna's list of keys and values", () => {
    const miner = select(hardExampleMining, {
      method: "IBT",
      param: [
        { key: "threshold_img", value: "0.9" },
        { key: "threshold_box", value: "0.9" },
      ],
    });
    expect(miner([[0, 0, 1, 1, 0.8, 0]])).toBe(true);
  });

  it("accepts a table that the user extended", () => {
    const mine = {
      ...hardExampleMining,
      Crowd:
        ({ more_than }: { more_than: number }) =>
        (rows: readonly unknown[]) =>
          rows.length > more_than,
    };
    expect(select(mine, { method: "Crowd", param: { more_than: 1 } })([1, 2])).toBe(true);
  });
});
