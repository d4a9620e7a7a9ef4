import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import type {
  FederationPlan,
  FederationStatus,
  FederationTask,
  SessionGrant,
  SessionRequest,
} from "./federation.ts";
import {
  flatLength,
  isFederationName,
  parseFederationPlan,
  parseHello,
  parseSessionGrant,
  parseSessionRequest,
} from "./federation-parsers.ts";
import {
  parseFederationStatus,
  parseFederationTask,
  parseUpdateReceipt,
  parseUpdateRejection,
} from "./federation-parsers-rounds.ts";
import { parseUpdateReference, updateKey } from "./update-reference.ts";

const plan: FederationPlan = {
  protocol: 1,
  name: "digits-2026",
  layout: [
    { name: "weight", shape: [10, 64] },
    { name: "bias", shape: [10] },
  ],
  head: { kind: "softmax", features: 64, classes: 10 },
  training: {
    epochs: 2,
    batchSize: 32,
    optimizer: { kind: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    proximal: 0.01,
    l2: 0,
  },
  aggregation: "FedAvg",
  mode: "rounds",
  protection: "none",
  encoding: "topk",
  topkShare: 0.1,
  clipNorm: 2,
  numRounds: 0,
  participants: 10,
  maxUpdateBytes: 10_000,
  maxNumSamples: 1e6,
};
const request: SessionRequest = {
  protocol: 1,
  device: "camera-7",
  numSamples: 120,
  resources: { cores: 8, memoryMb: 4096, backend: "wasm", charging: true, speed: 1.5e6 },
  proof: { at: 1_795_233_853_430, nonce: "n-1", signature: `${"A".repeat(86)}==` },
};
const grant: SessionGrant = {
  token: "aaa.bbb.ccc",
  expiresIn: 600,
  epoch: 3,
  now: 1_795_233_853_430.5,
  plan,
};
const tasks: readonly FederationTask[] = [
  { kind: "wait", seq: 1, round: 0, modelVersion: 0, retryAfterMs: 1000 },
  { kind: "train", seq: 2, round: 1, modelVersion: 0, remainingMs: 29_999.5, accepted: false },
  {
    kind: "secure",
    seq: 3,
    round: 1,
    modelVersion: 0,
    remainingMs: 5000,
    phase: "shares",
    message: { shares: [["a", 1]], from: { "7": "x" } },
  },
  { kind: "done", seq: 4, round: 5, modelVersion: 5 },
];
const status: FederationStatus = {
  plan,
  state: "running",
  round: 2,
  modelVersion: 2,
  remainingMs: 1000,
  clients: [{ id: 0, state: "accepted", kind: "sedna-v1", rounds: 2, strikes: 1 }],
  history: [
    {
      round: 1,
      outcome: "aggregated",
      selected: 13,
      accepted: 10,
      rejected: 1,
      totalSamples: 1200,
      durationMs: 900,
      bytes: 26_000,
      loss: 0.5,
      accuracy: 0.9,
      epsilon: 1.5,
    },
  ],
  privacy: { epsilon: 1.5, delta: 1e-5, noiseMultiplier: 1.1 },
};
const reference = {
  key: updateKey({ federation: "digits-2026", round: 3, id: "a1" }),
  bytes: 4096,
  sha256: "0a".repeat(32),
};
const parseReference = (body: unknown) => parseUpdateReference(body, { federation: "digits-2026", round: 3 });

/** Each parser with a valid message. */
const messages: readonly {
  readonly name: string;
  readonly parse: (body: unknown) => unknown;
  readonly body: object;
}[] = [
  { name: "plan", parse: parseFederationPlan, body: plan },
  {
    name: "plan without optional fields",
    parse: parseFederationPlan,
    body: {
      ...plan,
      head: undefined,
      encoding: "f32",
      topkShare: undefined,
      clipNorm: undefined,
      training: { epochs: 1, batchSize: 1, optimizer: { kind: "sgd", learningRate: 1 } },
    },
  },
  { name: "session request", parse: parseSessionRequest, body: request },
  {
    name: "session request with few fields",
    parse: parseSessionRequest,
    body: { protocol: 1, device: "tab", numSamples: 0, resources: {} },
  },
  { name: "session grant", parse: parseSessionGrant, body: grant },
  ...tasks.map((body) => ({ name: `task of kind ${body.kind}`, parse: parseFederationTask, body })),
  { name: "status", parse: parseFederationStatus, body: status },
  { name: "receipt", parse: parseUpdateReceipt, body: { round: 3, accepted: true } },
  {
    name: "receipt of a duplicate",
    parse: parseUpdateReceipt,
    body: { round: 3, accepted: true, duplicate: true },
  },
  {
    name: "rejection",
    parse: parseUpdateRejection,
    body: { error: "wrong-round: expected 4\ngot 3", code: "wrong-round", round: 4 },
  },
  { name: "hello", parse: parseHello, body: { type: "hello", token: "aaa.bbb" } },
  { name: "update's reference", parse: parseReference, body: reference },
];
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.each(messages)("a $name", ({ parse, body }) => {
  it("is parsed as text, as bytes, and as a result of JSON.parse", () => {
    const text = JSON.stringify(body);
    const value = JSON.parse(text) as unknown;
    for (const given of [text, bytesOf(text), value]) expect(parse(given)).toEqual(value);
  });

  it("is parsed without unknown fields", () => {
    expect(parse({ ...body, surprise: 1 })).toEqual(JSON.parse(JSON.stringify(body)));
  });

  it("C27: is rejected with a name that reaches a prototype at any depth, and with a duplicate name", () => {
    const text = JSON.stringify(body);
    for (const at of [...text.matchAll(/\{/g)].map(({ index }) => index + 1)) {
      for (const name of ["__proto__", "constructor", "prototype"])
        expect(() =>
          parse(`${text.slice(0, at)}"${name}":{}${text[at] === "}" ? "" : ","}${text.slice(at)}`),
        ).toThrow(WireError);
    }
    expect(() => parse(`{"x":1,"x":2,${text.slice(1)}`)).toThrow('got "x" again');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("throws nothing but WireError for prefixes, flipped bits and any JSON in any field", () => {
    const read = (given: unknown): boolean => {
      try {
        parse(given);
        return true;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return false;
      }
    };
    const bytes = bytesOf(JSON.stringify(body));
    for (let length = 0; length < bytes.length; length++) expect(read(bytes.subarray(0, length))).toBe(false);
    for (let bit = 0; bit < 8 * bytes.length; bit += 3)
      read(bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit % 8)) : byte)));
    fc.assert(fc.property(fc.oneof(fc.anything(), fc.json(), fc.uint8Array()), (given) => void read(given)));
    fc.assert(
      fc.property(mutated(body), (given) => void read(given)),
      { numRuns: 300 },
    );
  });

  it("C27: is rejected quickly if it has megabytes or nests deeply", () => {
    for (const given of [
      `"${"x".repeat(2_000_000)}"`,
      "[".repeat(200_000),
      `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
      { ...body, name: "x".repeat(2_000_000), kind: "x".repeat(2_000_000) },
    ]) {
      const before = process.cpuUsage();
      try {
        parse(given);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        expect((error as Error).message.length).toBeLessThan(300);
      }
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
    }
  });
});

/** Returns the message with the value at one path replaced by an unexpected one. */
function mutated(body: object): fc.Arbitrary<unknown> {
  const paths: string[][] = [];
  const walk = (value: unknown, path: string[]): void => {
    if (path.length > 0) paths.push(path);
    if (typeof value === "object" && value !== null)
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
  };
  walk(body, []);
  const strange = fc.oneof(
    fc.anything(),
    fc.double(),
    fc.integer(),
    fc.string(),
    fc.constantFrom(
      NaN,
      Infinity,
      -1,
      0.5,
      2 ** 53,
      1e308,
      "",
      "__proto__",
      "toString",
      null,
      undefined,
      [],
      {},
    ),
  );
  return fc.tuple(fc.constantFrom(...paths), strange).map(([path, value]) => {
    const copy = structuredClone(body) as Record<string, unknown>;
    const last = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
    last[path.at(-1)!] = value;
    return copy;
  });
}

const planWith = (change: object): unknown => ({ ...plan, ...change });
describe("a plan", () => {
  it.each([
    ["another protocol", { protocol: 2 }, "protocol: expected 1; got 2"],
    ["a name with a folder", { name: "../x" }, "name: expected letters and digits"],
    ["no layers", { layout: [] }, "layout: expected a list of 1 to 10000"],
    [
      "too many layers",
      { layout: Array.from({ length: 10_001 }, (_, i) => ({ name: `l${i}`, shape: [1] })) },
      "layout: expected a list of 1 to 10000; got an array of 10001",
    ],
    ["a layer twice", { layout: [plan.layout[0], plan.layout[0]] }, 'expected each name once; got "weight"'],
    [
      "a layer with a name of 201 characters",
      { layout: [{ name: "x".repeat(201), shape: [1] }] },
      "layout[0].name: expected a string of 1 to 200 characters",
    ],
    [
      "C27: a layer named like a member of Object.prototype",
      { layout: [{ name: "__proto__", shape: [1] }] },
      "layout[0].name: expected a name that is no member of Object.prototype",
    ],
    [
      "a layer with a fractional axis",
      { layout: [{ name: "x", shape: [1.5] }] },
      "layout[0].shape[0]: expected a whole number",
    ],
    [
      "a layer of 17 axes",
      { layout: [{ name: "x", shape: Array(17).fill(1) }] },
      "layout[0].shape: expected a list of 0 to 16",
    ],
    [
      "more parameters than kernels address",
      {
        layout: [
          { name: "x", shape: [2 ** 29] },
          { name: "y", shape: [2 ** 29] },
        ],
        head: undefined,
      },
      "expected 1 to 1073741823 parameters in all; got 1073741824",
    ],
    [
      "axes whose product overflows",
      {
        layout: [
          { name: "x", shape: Array(16).fill(2 ** 29) },
          { name: "y", shape: [0, 5] },
        ],
        head: undefined,
      },
      "parameters in all",
    ],
    [
      "no parameters",
      { layout: [{ name: "x", shape: [0] }], head: undefined },
      "expected 1 to 1073741823 parameters in all; got 0",
    ],
    [
      "a head that does not match the layout",
      { head: { kind: "mlp", features: 64, hidden: 8, classes: 10 } },
      "head: expected a head of the layout's 650 parameters; got 610",
    ],
    [
      "a learning rate of 0",
      { training: { ...plan.training, optimizer: { kind: "sgd", learningRate: 0 } } },
      "optimizer.learningRate: expected a number from",
    ],
    [
      "a momentum of 1",
      { training: { ...plan.training, optimizer: { kind: "sgd", learningRate: 1, momentum: 1 } } },
      "optimizer.momentum",
    ],
    [
      "no epochs",
      { training: { ...plan.training, epochs: 0 } },
      "training.epochs: expected a whole number from 1 to 100000; got 0",
    ],
    ["topk without its share", { topkShare: undefined }, "topkShare: expected a number from"],
    ["a share above 1", { topkShare: 1.1 }, "topkShare"],
    ["a norm of 0", { clipNorm: 0 }, "clipNorm"],
    [
      "an infinite last round",
      { numRounds: Infinity },
      "numRounds: expected a whole number from 0 up; got Infinity",
    ],
    ["no participants", { participants: 0 }, "participants"],
    ["another mode", { mode: "async" }, 'mode: expected one of rounds, buffered; got "async"'],
  ])("is rejected with %s", (_, change, message) => {
    expect(() => parseFederationPlan(planWith(change))).toThrow(WireError);
    expect(() => parseFederationPlan(planWith(change))).toThrow(message);
  });

  it("may have scalars and empty layers", () => {
    const layout = [
      { name: "scale", shape: [] },
      { name: "none", shape: [0, 5] },
      { name: "w", shape: [2, 3] },
    ];
    expect(parseFederationPlan({ ...(planWith({ layout }) as object), head: undefined }).layout).toEqual(
      layout,
    );
    expect(flatLength(layout)).toBe(7);
  });

  it("of ten thousand layers is parsed quickly", () => {
    const layout = Array.from({ length: 10_000 }, (_, i) => ({ name: `layer.${i}.weight`, shape: [10, 10] }));
    const before = process.cpuUsage();
    expect(parseFederationPlan(JSON.stringify({ ...plan, head: undefined, layout })).layout).toHaveLength(
      10_000,
    );
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
  });
});

describe("a session request", () => {
  it.each(["", "x".repeat(201), "a\nb", "a\u0085b", "a\ud800", "toString", "__proto__"])(
    "C27: is rejected from a device named %j",
    (device) => {
      expect(() => parseSessionRequest({ ...request, device })).toThrow(WireError);
    },
  );

  it.each(["Kamera 7 (Süd)", "摄像头-7", "a😀b"])("is accepted from a device named %j", (device) => {
    expect(parseSessionRequest(JSON.stringify({ ...request, device })).device).toBe(device);
  });
});

describe("a federation's name", () => {
  it.each(["a", "FedAvg", "digits-2026", "a_b-c", "x".repeat(64)])("may be %j", (name) =>
    expect(isFederationName(name)).toBe(true),
  );
  it.each(["", "-a", "a-", "a--b", "a.b", "a/b", "a b", "ä", "a\n", "x".repeat(65), 5, undefined])(
    "is not %j",
    (name) => expect(isFederationName(name)).toBe(false),
  );
});

describe("a task", () => {
  it("is rejected with a retryAfterMs that a timer cannot wait", () => {
    for (const retryAfterMs of [2 ** 31, -1, NaN, Infinity])
      expect(() => parseFederationTask({ ...tasks[0], retryAfterMs })).toThrow(
        "retryAfterMs: expected a number from 0 to 2147483647",
      );
  });

  it("C27: is rejected with a secure message that nests too deeply or reaches a prototype", () => {
    let message: unknown = 1;
    for (let i = 0; i < 17; i++) message = [message];
    expect(() => parseFederationTask({ ...tasks[2], message })).toThrow("expected at most 16 levels");
    expect(() =>
      parseFederationTask({ ...tasks[2], message: JSON.parse('[{"a":{"__proto__":1}}]') as unknown }),
    ).toThrow("__proto__");
  });
});

describe("an update's reference", () => {
  it.each([
    ["another federation's", { key: "other/updates/3/a1" }],
    ["another round's", { key: "digits-2026/updates/4/a1" }],
    ["a model", { key: "digits-2026/models/3" }],
    ["a path traversal", { key: "digits-2026/updates/3/../../x" }],
    ["a folder", { key: "digits-2026/updates/3/a/b" }],
    ["no id", { key: "digits-2026/updates/3/" }],
    ["a hash in upper case", { sha256: "0A".repeat(32) }],
    ["a hash too short", { sha256: "0a" }],
    ["no bytes", { bytes: 0 }],
  ])("is rejected with %s", (_, change) => {
    expect(() => parseReference({ ...reference, ...change })).toThrow(WireError);
  });

  it("is only created from parts that a key can have", () => {
    for (const id of ["", "a/b", "..", "x".repeat(65)])
      expect(() => updateKey({ federation: "a", round: 1, id })).toThrow(RangeError);
    expect(() => updateKey({ federation: "a/b", round: 1, id: "a" })).toThrow(RangeError);
    expect(() => updateKey({ federation: "a", round: -1, id: "a" })).toThrow(RangeError);
  });
});
