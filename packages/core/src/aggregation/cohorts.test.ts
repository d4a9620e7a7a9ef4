import { loadVectorKernels } from "@sedna-js/wasm-kernels";
import { afterAll, describe, expect, it } from "vitest";
import { SednaError } from "../errors.ts";
import { select } from "../select.ts";
import { tensor } from "../tensor.ts";
import type { Aggregator } from "./aggregator.ts";
import { aggregation } from "./aggregation.ts";
import { f32, openRound, run } from "./rule-fixture.suite.ts";

const kernels = await loadVectorKernels({ backend: "wasm" });
afterAll(() => kernels.dispose());
const build = (method: string, param?: object): Aggregator => select(aggregation, { method, param } as never);
const base = Float32Array.of(1, 2);
const initial = [tensor("float32", [2], base)];

describe("cohort requirements", () => {
  const least: readonly (readonly [string, object, number])[] = [
    ["FedAvg", {}, 1],
    ["FedAdam", {}, 1],
    ["NormClipping", { clipNorm: 1 }, 1],
    ["Median", {}, 3],
    ["TrimmedMean", {}, 5],
    ["TrimmedMean", { trim: "0.1" }, 10],
    ["TrimmedMean", { trim: 0.34 }, 3],
    ["TrimmedMean", { trim: 0.01 }, 100],
    ["TrimmedMean", { trim: "2" }, 5],
    ["MultiKrum", { f: 1 }, 5],
    ["MultiKrum", { f: "3" }, 9],
    ["MultiKrum", { f: 1, m: 6 }, 9],
    ["NormClipping", { clipNorm: 1, rule: { method: "MultiKrum", param: { f: 2 } } }, 7],
    ["Bucketing", { f: 2, clipNorm: 1 }, 8],
    ["Bucketing", { f: 2, buckets: 12, clipNorm: 1 }, 12],
  ];

  it.each(least)("%s %o needs %i", (method, param, minClients) => {
    const rule = build(method, param);
    expect(rule.minClients).toBe(minClients);
    const updates = Array.from({ length: minClients }, (_, i) => f32([i, 1]));
    const rejected = {
      code: "cohort-too-small",
      message: expect.stringMatching(
        `expected at least ${minClients} updates; got ${minClients - 1}$`,
      ) as string,
    };
    expect(() => run(rule, { kernels, base, updates: updates.slice(1) })).toThrow(
      expect.objectContaining(rejected) as Error,
    );
    expect(run(rule, { kernels, base, updates }).model).toHaveLength(2);
    const clients = updates.map((_, i) => ({
      numSamples: 3,
      weights: [tensor("float32", [2], Float32Array.of(i, 1))],
    }));
    // Sedna's batch form accepts an empty list of clients, and a mean accepts a single client.
    if (minClients > 1)
      expect(() => build(method, { ...param, initial }).aggregate(clients.slice(1))).toThrow(
        expect.objectContaining(rejected) as Error,
      );
    expect(build(method, { ...param, initial }).aggregate(clients)).toHaveLength(1);
  });

  it("ignore clients without samples or with numbers that are not finite in a robust rule's batch form", () => {
    const client = (numSamples: number, value: number) => ({
      numSamples,
      weights: [tensor("float64", [1], Float64Array.of(value))],
    });
    const three = [client(1, 1), client(1, 2), client(1, 3)];
    expect([
      ...(build("Median").aggregate([...three, client(0, 9), client(1, Number.NaN), client(5, Infinity)])![0]!
        .data as Float64Array),
    ]).toEqual([2]);
    expect(() => build("Median").aggregate([...three.slice(1), client(0, 9), client(1, Number.NaN)])).toThrow(
      "got 2",
    );
  });

  it("include a nonzero root update and an update that agrees with it for FLTrust", () => {
    const trust = (root: readonly number[]): Aggregator =>
      build("FLTrust", { rootUpdate: () => Float32Array.from(root) });
    const code = (code: string): Error => expect.objectContaining({ code }) as Error;
    expect(() => openRound(trust([0, 0]), { kernels, base })).toThrow(code("cohort-too-small"));
    expect(() => openRound(trust([1]), { kernels, base })).toThrow(TypeError);
    expect(() => openRound(trust([1, Number.NaN]), { kernels, base })).toThrow(RangeError);
    expect(() => build("FLTrust", {})).toThrow(TypeError);
    expect(() =>
      run(trust([1, 0]), { kernels, base, updates: [f32([-1, 5]), f32([0, 1]), f32([0, 0])] }),
    ).toThrow(code("cohort-too-small"));
    expect(() => trust([1, 0]).aggregate([{ numSamples: 1, weights: initial }])).toThrow(TypeError);
  });
});

describe("parameters", () => {
  const wrong: readonly (readonly [string, object, new (message: string) => Error])[] = [
    ["FedAvg", { clipNorm: 0 }, RangeError],
    ["FedAvg", { clipNorm: "wide" }, TypeError],
    ["FedAvg", { clipNorm: Infinity }, RangeError],
    ["FedAvgM", { momentum: 1 }, RangeError],
    ["FedAvgM", { learningRate: 0 }, RangeError],
    ["FedAdam", { tau: 0 }, RangeError],
    ["FedAdam", { beta2: -0.1 }, RangeError],
    ["FedAdam", { biasCorrection: "yes" }, TypeError],
    ["FedBuff", { exponent: -1 }, RangeError],
    ["TrimmedMean", { trim: 0 }, RangeError],
    ["TrimmedMean", { trim: 0.5 }, RangeError],
    ["TrimmedMean", { trim: 1.5 }, RangeError],
    ["TrimmedMean", { trim: Number.NaN }, RangeError],
    ["MultiKrum", {}, TypeError],
    ["MultiKrum", { f: 0 }, RangeError],
    ["MultiKrum", { f: 1, m: 0 }, RangeError],
    ["NormClipping", {}, TypeError],
    ["NormClipping", { clipNorm: 1, rule: { method: "Meridian" } }, SednaError as never],
    ["Bucketing", { f: 1 }, TypeError],
    ["Bucketing", { f: 1, clipNorm: 1, rule: "mean" }, TypeError],
  ];
  it.each(wrong)("%s refuses %o", (method, param, kind) => {
    expect(() => build(method, param)).toThrow(kind);
  });

  it("accept lists of keys and string values, as in Sedna's jobs", () => {
    const rule = select(aggregation, { method: "NormClipping", param: [{ key: "clipNorm", value: "5" }] });
    expect([...run(rule, { kernels, base: new Float32Array(2), updates: [f32([30, 40])] }).model]).toEqual([
      3, 4,
    ]);
  });

  it("accept a rule object instead of a name for NormClipping", () => {
    const rule = aggregation.NormClipping({ clipNorm: 5, rule: aggregation.Median() });
    expect(rule).toMatchObject({ name: "NormClipping", minClients: 3, needsSumOnly: false });
  });

  it("determine which rules support secure aggregation", () => {
    const served = ["FedAvg", "FedAvgM", "FedAdam", "FedProx", "FedBuff"];
    for (const method of served) expect(build(method).needsSumOnly).toBe(true);
    // A rule needs to see an update to clip it.
    for (const method of served) expect(build(method, { clipNorm: 1 }).needsSumOnly).toBe(false);
    for (const [method, param] of [
      ["Median"],
      ["TrimmedMean"],
      ["MultiKrum", { f: 1 }],
      ["NormClipping", { clipNorm: 1 }],
      ["Bucketing", { f: 1, clipNorm: 1 }],
    ] as const)
      expect(build(method, param).needsSumOnly).toBe(false);
  });
});

describe("ties and fractions", () => {
  it("do not make Krum's selection depend on the order of arrival", () => {
    const updates = [-3, -2, -1, 1, 2, 3].map((x) => f32([x, 0]));
    const chosen = (order: typeof updates): number[] => [
      ...run(build("MultiKrum", { f: 1, m: 1 }), { kernels, base: new Float32Array(2), updates: order })
        .model,
    ];
    expect(chosen(updates)).toEqual(chosen(updates.toReversed()));
  });

  it("trim 29 of 100 clients by 0.29, although 0.29 * 100 is slightly below 29 in floating point", () => {
    expect(Math.floor(0.29 * 100)).toBe(28);
    const updates = Array.from({ length: 100 }, (_, i) => f32([i < 29 ? 1e6 : 1, 0]));
    expect([
      ...run(build("TrimmedMean", { trim: 0.29 }), { kernels, base: new Float32Array(2), updates }).model,
    ]).toEqual([1, 0]);
  });
});

describe("a round", () => {
  it("rejects a model with an infinity", () => {
    const far = Float32Array.of(3e38, 0);
    for (const method of ["FedAvg", "FedAvgM", "Median"]) {
      const updates = Array.from({ length: 3 }, () => f32([3e38, 0]));
      expect(() => run(build(method), { kernels, base: far, updates })).toThrow(
        expect.objectContaining({ code: "update-rejected" }) as Error,
      );
    }
  });

  it("rejects the server state of another model", () => {
    for (const method of ["FedAvgM", "FedAdam"])
      expect(() =>
        run(build(method), { kernels, base, serverState: new Float32Array(3), updates: [f32([1, 1])] }),
      ).toThrow(RangeError);
    // A rule without server state ignores the state of another rule.
    expect(
      run(build("FedAvg"), { kernels, base, serverState: new Float32Array(0), updates: [f32([1, 1])] })
        .serverState,
    ).toBeUndefined();
  });

  it("rejects an update beyond its capacity", () => {
    const open = openRound(build("Median"), { kernels, base, capacity: 3 });
    for (let i = 0; i < 3; i++) open.add(f32([i, i]), { weight: 1, client: String(i) });
    expect(() => open.add(f32([9, 9]), { weight: 1, client: "late" })).toThrow(RangeError);
    expect([...open.finish().model]).toEqual([2, 3]);
    open.dispose();
  });
});
