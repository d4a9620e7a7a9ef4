import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { readSecureResponse, writeSecureResponse } from "./secure-answer.ts";
import {
  parseSecureKeys,
  parseSecureKeysTask,
  parseSecureMaskedTask,
  parseSecureSharesResponse,
  parseSecureSharesTask,
  parseSecureUnmaskResponse,
  parseSecureUnmaskTask,
} from "./secure-aggregation-parsers.ts";
import type { SecureAnswer } from "./secure-aggregation.ts";

const bytes = (length: number, fill = 0): string =>
  btoa(String.fromCharCode(...new Uint8Array(length).fill(fill)));
const settings = {
  length: 3,
  clipRange: 8,
  levels: 4096,
  maxWeight: 4,
  samplesPerWeight: 10,
  minClients: 3,
  attempt: 1,
};
const keys = [1, 2, 3].map((fill) => ({ maskKey: bytes(32, fill), sealKey: bytes(32, 9) }));

const messages = {
  keysTask: { parse: parseSecureKeysTask, value: { settings } },
  keys: { parse: parseSecureKeys, value: { ...keys[0], signature: "ab+/", device: "door" } },
  sharesTask: { parse: parseSecureSharesTask, value: { settings, clients: keys } },
  shares: {
    parse: parseSecureSharesResponse,
    value: { commitment: bytes(32), boxes: [{ to: 1, box: bytes(82) }] },
  },
  maskedTask: {
    parse: parseSecureMaskedTask,
    value: { present: [0, 1, 2], boxes: [{ from: 1, box: bytes(82) }] },
  },
  unmaskTask: { parse: parseSecureUnmaskTask, value: { survivors: [0, 2], dropped: [1] } },
  unmask: {
    parse: parseSecureUnmaskResponse,
    value: { seeds: [{ of: 0, share: bytes(33) }], keys: [{ of: 1, share: bytes(33, 5) }] },
  },
} as const;
const names = Object.keys(messages) as (keyof typeof messages)[];

const answers: readonly SecureAnswer[] = [
  { phase: "keys", message: messages.keys.value as never },
  { phase: "shares", message: messages.shares.value },
  { phase: "masked", message: Uint32Array.of(1, 2 ** 32 - 1, 0, 7) },
  { phase: "unmask", message: messages.unmask.value },
];

describe("the messages of secure aggregation", () => {
  it.each(names)("%s is parsed from values, text and bytes", (name) => {
    const { parse, value } = messages[name];
    const text = JSON.stringify(value);
    for (const form of [value, text, new TextEncoder().encode(text)]) expect(parse(form)).toEqual(value);
  });

  it.each(names)("C27: %s throws nothing but WireError for any input", (name) => {
    const { parse, value } = messages[name];
    fc.assert(
      fc.property(fc.anything(), (given) => refusesOrReads(() => parse(given))),
      { numRuns: 200 },
    );
    // Replace one leaf at a time.
    const paths = leaves(value);
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.oneof(fc.anything(), fc.constantFrom(-1, 1e308, NaN, "__proto__", "", bytes(31), [], {})),
        (path, other) => refusesOrReads(() => parse(replaced(value, path, other))),
      ),
      { numRuns: 200 },
    );
  });

  it.each<[keyof typeof messages, unknown]>([
    ["sharesTask", { settings, clients: [keys[1], keys[0], keys[2]] }],
    ["sharesTask", { settings, clients: [keys[0], keys[0], keys[1]] }],
    ["unmaskTask", { survivors: [2, 0], dropped: [1] }],
    ["unmask", { seeds: [{ of: 0, share: bytes(33) }], keys: [{ of: 0, share: bytes(33) }] }],
    [
      "shares",
      {
        commitment: bytes(32),
        boxes: [
          { to: 1, box: bytes(82) },
          { to: 1, box: bytes(82) },
        ],
      },
    ],
    ["keys", { maskKey: bytes(32).replace("A=", "B="), sealKey: bytes(32) }],
    ["keysTask", { settings: { ...settings, minClients: 1 } }],
    ["keysTask", { settings: { ...settings, clipRange: Infinity } }],
  ])("%s is rejected if it is ambiguous or out of range: %j", (name, value) => {
    expect(() => messages[name].parse(value)).toThrow(WireError);
  });

  it.each(answers)("a response of phase $phase is encoded and decoded unchanged", (answer) => {
    expect(
      readSecureResponse(answer.phase, writeSecureResponse(answer, { round: 5, modelVersion: 2 })),
    ).toEqual({
      round: 5,
      answer,
    });
  });

  it("C27: truncated responses are rejected, and flipped or arbitrary bytes throw nothing but WireError", () => {
    for (const answer of answers) {
      const good = writeSecureResponse(answer, { round: 5, modelVersion: 2 });
      for (let end = 0; end < good.length; end++)
        expect(() => readSecureResponse(answer.phase, good.subarray(0, end))).toThrow(WireError);
      fc.assert(
        fc.property(fc.nat(good.length * 8 - 1), (bit) =>
          refusesOrReads(() =>
            readSecureResponse(
              answer.phase,
              good.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
            ),
          ),
        ),
      );
      fc.assert(
        fc.property(fc.uint8Array(), (given) =>
          refusesOrReads(() => readSecureResponse(answer.phase, given)),
        ),
      );
    }
  });

  it("detects a flipped bit in a masked vector, which would corrupt the sum unnoticed", () => {
    const good = writeSecureResponse(
      { phase: "masked", message: Uint32Array.of(1, 2, 3) },
      { round: 5, modelVersion: 2 },
    );
    good[good.length - 3]! ^= 4;
    expect(() => readSecureResponse("masked", good)).toThrow(WireError);
  });
});

/** Passes if a parser returns or throws a WireError. */
function refusesOrReads(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]))
    : [path];
}

function replaced(value: unknown, path: readonly string[], other: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return other;
  const inner = replaced((value as Record<string, unknown>)[name], rest, other);
  return Array.isArray(value) ? value.with(Number(name), inner) : { ...(value as object), [name]: inner };
}
