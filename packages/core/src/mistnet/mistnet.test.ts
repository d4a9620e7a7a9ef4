import { loadTrainingKernels } from "@sedna-js/wasm-kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { randomBits } from "../privacy/random-bits.ts";
import { seededFill, shareError } from "../privacy/statistics.suite.ts";
import {
  maxMistnetBytes,
  parseMistnetPlan,
  parseMistnetStatus,
  readMistnetUpload,
  writeMistnetUpload,
  type MistnetPlan,
} from "../wire/mistnet.ts";
import { mistnetParameters } from "./mistnet-parameters.ts";
import { privateRecords, recordPrivacy } from "./private-records.ts";
import { trainMistnetHead } from "./train-mistnet-head.ts";

const plan: MistnetPlan = {
  protocol: 1,
  name: "doors",
  cutLayer: "pool",
  head: { kind: "softmax", features: 1, classes: 2 },
  mechanism: "laplace",
  epsilon: 2,
  delta: 0,
  labelShare: 0.5,
  bound: 1,
  maxRecords: 1_000_000,
};

describe("mistnetParameters", () => {
  it("parses a job's strings, including a string epsilon (Sedna's issue 284)", () => {
    expect(mistnetParameters({ cut_layer: "4", epsilon: "100" })).toEqual({
      type: "mistnet",
      cut_layer: 4,
      epsilon: 100,
    });
    expect(mistnetParameters({ cut_layer: "block_3", epsilon: "7" })).toEqual({
      type: "mistnet",
      cut_layer: "block_3",
      epsilon: 7,
    });
    expect(mistnetParameters({ cut_layer: 4 })).toEqual({ type: "mistnet", cut_layer: 4, epsilon: 100 });
    expect(mistnetParameters({ cut_layer: 4, epsilon: "0.5" }).epsilon).toBe(0.5);
  });

  it("rejects invalid values", () => {
    for (const wrong of [
      {},
      { cut_layer: "" },
      { cut_layer: -1 },
      { cut_layer: 1.5 },
      { cut_layer: 1, epsilon: "much" },
      { cut_layer: 1, epsilon: "" },
    ])
      expect(() => mistnetParameters(wrong)).toThrow(TypeError);
    for (const epsilon of [0, -1, Infinity, "0"])
      expect(() => mistnetParameters({ cut_layer: 1, epsilon })).toThrow(RangeError);
  });
});

describe("privateRecords", () => {
  it("spends exactly epsilon on a record: the parts for its features and its label add up", () => {
    for (const [epsilon, labelShare] of [
      [2, 0.5],
      [100, 0.15],
      [0.7, 0.3],
    ] as const) {
      const { features, labels, response } = recordPrivacy({ ...plan, epsilon, labelShare });
      expect(features.epsilon + labels).toBeCloseTo(epsilon, 12);
      expect(features.epsilon + Math.log(response.truth / response.lie)).toBeLessThanOrEqual(epsilon + 1e-9);
    }
  });

  it("guarantees epsilon: no event distinguishes the two most different records by more, and one event by almost as much", () => {
    const count = 200_000;
    const eventsOf = (feature: number, label: number, seed: number): number[] => {
      const given = privateRecords(
        { features: new Float32Array(count).fill(feature), labels: new Uint32Array(count).fill(label) },
        { plan, bits: randomBits(seededFill(seed)) },
      );
      // Events that cover both parts of the record.
      return [-1, 0, 1, 2].flatMap((threshold) =>
        [0, 1].map(
          (answer) =>
            given.features.filter((value, i) => value > threshold && given.labels[i] === answer).length /
            count,
        ),
      );
    };
    const [one, other] = [eventsOf(1, 1, 21), eventsOf(-1, 0, 22)];
    const slack = shareError(count) * (1 + Math.exp(plan.epsilon));
    for (const [i, share] of one.entries())
      expect(share).toBeLessThan(Math.exp(plan.epsilon) * other[i]! + slack);
    // For thresholds beyond both records, the ratio reaches e^epsilon; with half the noise it would be e^3.
    const ratios = one.map((share, i) => share / other[i]!);
    expect(Math.max(...ratios)).toBeGreaterThan(0.9 * Math.exp(plan.epsilon));
  });

  it("rejects more records than the plan allows, and an incomplete record", () => {
    const bits = randomBits();
    expect(() =>
      privateRecords(
        { features: new Float32Array(2), labels: new Uint32Array(2) },
        { plan: { ...plan, maxRecords: 1 }, bits },
      ),
    ).toThrow(RangeError);
    expect(() =>
      privateRecords({ features: new Float32Array(3), labels: new Uint32Array(2) }, { plan, bits }),
    ).toThrow(RangeError);
    expect(() =>
      privateRecords({ features: new Float32Array(0), labels: new Uint32Array(0) }, { plan, bits }),
    ).toThrow(RangeError);
  });
});

describe("MistNet wire format", () => {
  const records = { features: Float32Array.of(1, -2.5, 0), labels: Uint32Array.of(1, 0, 1) };

  it("round-trips records and plans", () => {
    expect(readMistnetUpload(writeMistnetUpload(records, plan), plan)).toEqual(records);
    expect(parseMistnetPlan(JSON.stringify(plan))).toEqual(plan);
    const status = { plan, state: "collecting", received: 1, participants: 3, records: 3 };
    expect(parseMistnetStatus(JSON.stringify(status))).toEqual(status);
    expect(writeMistnetUpload(records, plan).length).toBeLessThan(maxMistnetBytes(plan));
  });

  it.each<[string, Partial<MistnetPlan>]>([
    ["of another epsilon", { epsilon: 3 }],
    ["of another bound", { bound: 2 }],
    ["of another name", { name: "windows" }],
    ["of another width", { head: { kind: "softmax", features: 3, classes: 2 } }],
    ["beyond maxRecords", { head: { kind: "softmax", features: 1, classes: 2 }, maxRecords: 2 }],
  ])("refuses records %s", (_, other) => {
    expect(() => readMistnetUpload(writeMistnetUpload(records, plan), { ...plan, ...other })).toThrow(
      WireError,
    );
  });

  it("C22: rejects features that are not finite and labels out of range", () => {
    expect(() =>
      readMistnetUpload(writeMistnetUpload({ ...records, features: Float32Array.of(1, NaN, 0) }, plan), plan),
    ).toThrow("finite");
    expect(() =>
      readMistnetUpload(writeMistnetUpload({ ...records, labels: Uint32Array.of(1, 2, 0) }, plan), plan),
    ).toThrow("labels below 2");
  });

  it("C27: throws nothing but WireError for any input", () => {
    const good = writeMistnetUpload(records, plan);
    const tries = (parse: () => unknown): void => {
      try {
        parse();
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    };
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) =>
        tries(() =>
          readMistnetUpload(
            good.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
            plan,
          ),
        ),
      ),
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => tries(() => readMistnetUpload(bytes, plan))));
    fc.assert(fc.property(fc.anything(), (value) => tries(() => parseMistnetPlan(value))));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(plan)), fc.anything(), (name, value) =>
        tries(() => parseMistnetPlan({ ...plan, [name]: value })),
      ),
    );
    fc.assert(fc.property(fc.anything(), (value) => tries(() => parseMistnetStatus(value))));
  });
});

describe("trainMistnetHead", () => {
  it("learns the classes despite the noise, does not predict an absent class, and is reproducible bit for bit", async () => {
    const count = 3000;
    const labels = Uint32Array.from({ length: count }, (_, i) => i % 2);
    const features = Float32Array.from({ length: 2 * count }, (_, i) =>
      labels[i >> 1] === (i & 1) ? 1 : -1,
    );
    const head = { kind: "softmax", features: 2, classes: 3 } as const;
    const noisy = privateRecords(
      { features, labels },
      {
        plan: { ...plan, head: { ...head, classes: 2 }, bound: 2, epsilon: 4 },
        bits: randomBits(seededFill(1)),
      },
    );
    const kernels = await loadTrainingKernels();
    const weights = trainMistnetHead([noisy], { head, kernels });
    using trainer = kernels.headTrainer({ head, samples: features, labels, weights });
    const answers = trainer.predict(Float32Array.of(1, -1, -1, 1));
    expect(
      [0, 1].map((i) =>
        answers.subarray(3 * i, 3 * i + 3).indexOf(Math.max(...answers.subarray(3 * i, 3 * i + 3))),
      ),
    ).toEqual([0, 1]);
    expect(answers[2]).toBeLessThan(0.01);
    expect(trainMistnetHead([noisy], { head, kernels })).toEqual(weights);
    expect(() => trainMistnetHead([], { head, kernels })).toThrow(RangeError);
  });

  it("trains an MLP", async () => {
    const head = { kind: "mlp", features: 1, hidden: 4, classes: 2 } as const;
    expect(
      trainMistnetHead([{ features: Float32Array.of(1, -1), labels: Uint32Array.of(0, 1) }], {
        head,
        kernels: await loadTrainingKernels(),
      }).every(Number.isFinite),
    ).toBe(true);
  });
});
