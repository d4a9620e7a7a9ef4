import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { readSampleUpload, stampSample, writeSampleUpload, type SampleHead } from "./sample-upload.ts";

const text = fc
  .string({ minLength: 1, maxLength: 200, unit: "binary" })
  .filter(({ length }) => length <= 200);
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((one) => (Object.is(one, -0) ? 0 : one));
const note = {
  device: text,
  kind: fc.constantFrom("features", "crop", "blurred", "full", "report"),
  contentType: fc.constantFrom("image/jpeg", "application/json"),
  reason: text,
};
const maybe = {
  model: fc.record({ name: text, version: fc.nat() }),
  result: fc.oneof(fc.array(number), fc.array(fc.array(number), { minLength: 1 })),
  width: fc.integer({ min: 1, max: 9999 }),
  height: fc.integer({ min: 1, max: 9999 }),
};
const stamp = { id: fc.stringMatching(/^[\x21-\x7e]{1,200}$/), createdAt: fc.nat() };
const someHead = fc.record(
  { ...stamp, ...note, ...maybe },
  { requiredKeys: ["id", "createdAt", "device", "kind", "contentType", "reason"] },
) as fc.Arbitrary<SampleHead>;
const head: SampleHead = {
  id: "cam-1/7",
  createdAt: 1_700_000_000_000,
  device: "cam-1",
  kind: "crop",
  contentType: "image/jpeg",
  reason: "hard",
  result: [[1, 2, 3, 4, 0.5, 0]],
  width: 4,
  height: 3,
};

/** Returns a message with the given head, valid or not. */
function messageOf(json: string, payload = Uint8Array.of(1, 2, 3)): Uint8Array {
  const encoded = new TextEncoder().encode(json);
  const bytes = new Uint8Array(4 + encoded.length + payload.length);
  new DataView(bytes.buffer).setUint32(0, encoded.length, true);
  bytes.set(encoded, 4);
  bytes.set(payload, 4 + encoded.length);
  return bytes;
}

/** Reads bytes that may not be a sample, which must succeed or throw a WireError. */
function readAnything(bytes: Uint8Array): void {
  try {
    readSampleUpload(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    expect((error as Error).message).toMatch(/expected .+; got /s);
  }
}

describe("a sample message", () => {
  it("preserves any head and payload, including lone surrogates", () => {
    fc.assert(
      fc.property(someHead, fc.uint8Array(), (one, payload) => {
        const read = readSampleUpload(writeSampleUpload({ head: one, payload }));
        expect(read.head).toEqual(one);
        expect([...read.payload]).toEqual([...payload]);
      }),
    );
    expect(
      readSampleUpload(
        writeSampleUpload({ head: { ...head, reason: "\ud800 \udfff" }, payload: new Uint8Array() }),
      ).head.reason,
    ).toBe("\ud800 \udfff");
  });

  it("consists of a little-endian length, the head as JSON, and the payload", () => {
    const bytes = writeSampleUpload({ head, payload: Uint8Array.of(7, 8) });
    const length = bytes[0]! + 256 * bytes[1]!;
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))).toEqual(head);
    expect([...bytes.subarray(4 + length)]).toEqual([7, 8]);
  });

  it("is stamped before it is sent, and cannot be read as an upload until then", () => {
    const { id, createdAt, ...rest } = head;
    const waiting = writeSampleUpload({ head: rest, payload: Uint8Array.of(9) });
    expect(() => readSampleUpload(waiting)).toThrow(
      "read sample.id: expected a string of 1 to 200 characters, visible ASCII; got undefined",
    );
    const sent = stampSample(waiting, { id, createdAt });
    expect(readSampleUpload(sent).head).toEqual(head);
    // A retry sends the same bytes: the receiver compares them.
    expect(stampSample(sent, { id, createdAt })).toEqual(sent);
  });

  it("throws WireError for every truncated head, and reads flipped bits as a sample or throws WireError", () => {
    const whole = writeSampleUpload({ head, payload: new Uint8Array() });
    for (let length = 0; length < whole.length; length++)
      expect(() => readSampleUpload(whole.slice(0, length))).toThrow(WireError);
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      readAnything(bytes);
    }
  });

  it("reads any bytes and any JSON as a sample or throws WireError", () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0.5, 1e300, "", "\ud800", [null], [[]], {}));
    const oddHead = fc.record(
      Object.fromEntries(
        Object.entries({ ...stamp, ...note, ...maybe }).map(([key, good]) => [
          key,
          fc.oneof({ weight: 4, arbitrary: good as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: odd }),
        ]),
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc.json().map((json) => messageOf(json)),
          oddHead.map((one) => messageOf(JSON.stringify(one))),
        ),
        readAnything,
      ),
      { numRuns: 3000 },
    );
  });

  it.each<[string, unknown, string]>([
    ["C27: __proto__", '{"__proto__":{"kind":"full"}}', 'expected no reserved names; got "__proto__"'],
    ["a name twice", '{"id":"a","id":"b"}', 'expected each name once; got "id" again'],
    ["a list", "[]", "expected an object; got an array of 0"],
    [
      "an id with a line break",
      { ...head, id: "a\nb" },
      'id: expected a string of 1 to 200 characters, visible ASCII; got "a\\nb"',
    ],
    [
      "an id of 201 characters",
      { ...head, id: "x".repeat(201) },
      "id: expected a string of 1 to 200 characters, visible ASCII",
    ],
    [
      "an id that is not a string",
      { ...head, id: 5 },
      "id: expected a string of 1 to 200 characters, visible ASCII; got 5",
    ],
    [
      "an invalid time",
      { ...head, createdAt: "now" },
      'createdAt: expected a whole number from 0 up; got "now"',
    ],
    [
      "a kind with a path",
      { ...head, kind: "../x" },
      'kind: expected a string of 1 to 32 characters, a word in kebab-case; got "../x"',
    ],
    [
      "a model without a version",
      { ...head, model: { name: "m" } },
      "model.version: expected a whole number from 0 up; got undefined",
    ],
    [
      "rows with a hole",
      { ...head, result: [[1, null]] },
      "result: expected finite numbers, or rows of them; got an array of 1",
    ],
    ["no width", { ...head, width: 0 }, "width: expected a whole number from 1 up; got 0"],
  ])("refuses %s", (_, one, message) => {
    expect(() => readSampleUpload(messageOf(typeof one === "string" ? one : JSON.stringify(one)))).toThrow(
      message,
    );
  });

  it("C27: rejects ten megabytes of nested lists quickly", () => {
    const started = performance.now();
    expect(() => readSampleUpload(messageOf("[".repeat(10 * 2 ** 20)))).toThrow(
      "expected at most 262144; got 10485760",
    );
    expect(() => readSampleUpload(messageOf(`{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`))).toThrow(
      WireError,
    );
    expect(performance.now() - started).toBeLessThan(200);
  });
});
