import { loadVectorKernels, type ModelUpdate } from "@sedna-js/wasm-kernels";
import { afterAll, describe, expect, it } from "vitest";
import { select } from "../select.ts";
import type { Aggregator } from "./aggregator.ts";
import { aggregation } from "./aggregation.ts";
import { distance, draws, normal, run } from "./rule-fixture.suite.ts";

// A fifth of 50 clients is hostile. Measures the distance of the model from the honest mean, in norms of that
// mean.

const kernels = await loadVectorKernels({ backend: "wasm" });
afterAll(() => kernels.dispose());
const build = (method: string, param?: object): Aggregator => select(aggregation, { method, param } as never);

const LENGTH = 400;
const CLIENTS = 50;
const HOSTILE = 10;
const noise = normal(11);
const way = Float32Array.from({ length: LENGTH }, noise);
/** Honest updates: a common direction plus noise of about the same norm. */
const honest = Array.from({ length: CLIENTS }, () => way.map((x) => x + noise()));
const honestMean = way.map(
  (_, i) => honest.slice(HOSTILE).reduce((sum, update) => sum + update[i]!, 0) / (CLIENTS - HOSTILE),
);
const root = way.map((x) => x + noise());
const typicalNorm = distance(honest[0]!, new Float32Array(LENGTH));

const attacks: Readonly<Record<string, (update: Float32Array) => Float32Array>> = {
  "sign flip": (update) => update.map((x) => -x),
  "sign flip, scaled by 10": (update) => update.map((x) => -10 * x),
  "scaled by 100": (update) => update.map((x) => 100 * x),
  "all in the same direction": (update) => update.map((_, i) => 3 * (i % 2 ? 1 : -1)),
  "near the float32 maximum": (update) => update.map((x) => (x > 0 ? 3.4e38 : -3.4e38)),
};

/**
 * Returns the distance of the rule's model from the honest mean, in norms of that mean, when the first ten
 * clients attack. The updates arrive in a fixed mixed order.
 */
function off(rule: Aggregator, attack: (update: Float32Array) => Float32Array): number {
  const updates = honest.map((update, i): ModelUpdate => ({
    encoding: "f32",
    values: i < HOSTILE ? attack(update) : update,
  }));
  const order = updates
    .map((update, i) => ({ update, at: (i * 17) % CLIENTS }))
    .toSorted((a, b) => a.at - b.at);
  const { model } = run(rule, {
    kernels,
    base: new Float32Array(LENGTH),
    updates: order.map(({ update }) => update),
    random: draws(5),
  });
  return distance(model, honestMean) / distance(honestMean, new Float32Array(LENGTH));
}

const robust: readonly (readonly [string, object | undefined, number])[] = [
  ["Median", undefined, 0.35],
  ["TrimmedMean", { trim: 0.2 }, 0.4],
  ["TrimmedMean", { trim: 10 }, 0.4],
  ["MultiKrum", { f: 10 }, 0.15],
  ["NormClipping", { clipNorm: typicalNorm, rule: { method: "TrimmedMean" } }, 0.4],
  ["NormClipping", { clipNorm: typicalNorm, rule: { method: "MultiKrum", param: { f: "10" } } }, 0.15],
  ["FLTrust", { rootUpdate: () => root }, 0.15],
  ["Bucketing", { f: 10, clipNorm: typicalNorm }, 0.4],
  ["Bucketing", { f: 10, clipNorm: typicalNorm, rule: "trimmed" }, 0.4],
];

describe.each(robust)("%s %o against a fifth of hostile clients", (method, param, most) => {
  it.each(Object.entries(attacks))("%s", (_, attack) => {
    expect(off(build(method, param), attack)).toBeLessThan(most);
  });

  it("stays near the mean without an attack", () => {
    expect(off(build(method, param), (update) => update)).toBeLessThan(most);
  });
});

describe("the plain mean against a fifth of hostile clients", () => {
  it("follows the attackers", () => {
    expect(off(build("FedAvg"), attacks["sign flip, scaled by 10"]!)).toBeGreaterThan(2);
    expect(off(build("FedAvg"), attacks["scaled by 100"]!)).toBeGreaterThan(15);
    expect(off(build("FedAvg"), attacks["near the float32 maximum"]!)).toBeGreaterThan(1e30);
  });

  it("limits the attackers to their share if it clips updates", () => {
    for (const attack of Object.values(attacks))
      expect(off(build("FedAvg", { clipNorm: typicalNorm }), attack)).toBeLessThan(0.65);
  });
});
