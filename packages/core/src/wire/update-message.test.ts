import { checksum } from "@sedna-js/wasm-kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import type { UpdateHead } from "./federation.ts";
import { payloadBytes, readUpdateHead, readUpdateMessage, writeUpdateMessage } from "./update-message.ts";

type Unsummed = Omit<UpdateHead, "checksum">;
const heads: Readonly<Record<string, Unsummed>> = {
  f32: {
    round: 3,
    modelVersion: 2,
    encoding: "f32",
    length: 5,
    numSamples: 40,
    metrics: { loss: 0.25, accuracy: 0.5 },
  },
  f16: { round: 3, modelVersion: 2, encoding: "f16", length: 5, numSamples: 40, metrics: {} },
  int8: { round: 3, modelVersion: 2, encoding: "int8", length: 5, numSamples: 40, scale: 0.1 },
  topk: { round: 3, modelVersion: 2, encoding: "topk", length: 5, numSamples: 40, entries: 2 },
};
const filled = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i * 37 + 11) % 256);
const messageOf = (head: Unsummed): Uint8Array<ArrayBuffer> =>
  writeUpdateMessage({ head, payload: filled(payloadBytes(head)) });
/** Returns a message with the given head, valid or not. */
const withHead = (json: string, payload = filled(20)): Uint8Array => {
  const text = new TextEncoder().encode(json);
  const start = Math.ceil((4 + text.length) / 8) * 8;
  const bytes = new Uint8Array(start + payload.length).fill(0x20);
  new DataView(bytes.buffer).setUint32(0, start - 4, true);
  bytes.set(text, 4);
  bytes.set(payload, start);
  return bytes;
};
const good = { ...heads["f32"]!, checksum: checksum(filled(20)) };

describe("an update message", () => {
  it.each(Object.entries(heads))("is decoded unchanged: %s", (_, head) => {
    const payload = filled(payloadBytes(head));
    const bytes = writeUpdateMessage({ head, payload });
    const read = readUpdateMessage(bytes);
    expect(read.head).toEqual({ ...head, checksum: checksum(payload) });
    expect([...read.payload]).toEqual([...payload]);
    expect(read.payload.byteOffset % 8).toBe(0);
    expect(read.payload.buffer).toBe(bytes.buffer);
  });

  it("consists of four bytes of head length, the head, spaces up to a multiple of 8, and the payload", () => {
    const bytes = messageOf(heads["int8"]!);
    const length = new DataView(bytes.buffer).getUint32(0, true);
    expect((4 + length) % 8).toBe(0);
    expect(bytes.length).toBe(4 + length + 5);
    expect(new TextDecoder().decode(bytes.subarray(4, 4 + length))).toMatch(
      /^\{"round":3,"modelVersion":2,"encoding":"int8","length":5,"numSamples":40,"scale":0\.1,"checksum":\d+\} {0,7}$/,
    );
  });

  it("has a readable head once the head is complete, and not before", () => {
    const bytes = messageOf(heads["topk"]!);
    const { headBytes } = readUpdateHead(bytes)!;
    for (let length = 0; length < headBytes; length++)
      expect(readUpdateHead(bytes.subarray(0, length))).toBeUndefined();
    expect(readUpdateHead(bytes.subarray(0, headBytes))).toEqual({
      head: readUpdateMessage(bytes).head,
      headBytes,
    });
    expect(payloadBytes(readUpdateHead(bytes)!.head)).toBe(bytes.length - headBytes);
  });

  it("is read from any position in a larger buffer", () => {
    const bytes = messageOf(heads["f16"]!);
    for (const skip of [1, 3, 8]) {
      const larger = new Uint8Array(bytes.length + 20);
      larger.set(bytes, skip);
      expect([...readUpdateMessage(larger.subarray(skip, skip + bytes.length)).payload]).toEqual([
        ...filled(10),
      ]);
    }
  });

  it("reveals any flipped bit of its payload by its checksum", () => {
    const bytes = messageOf(heads["f32"]!);
    const { headBytes } = readUpdateHead(bytes)!;
    for (let bit = 8 * headBytes; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit % 8)) : byte));
      expect(() => readUpdateMessage(flipped)).toThrow(/expected a payload of checksum/);
    }
  });

  it.each([
    [
      "an invalid round",
      { ...good, round: -1 },
      "read an update's head.round: expected a whole number from 0 up; got -1",
    ],
    ["an unknown encoding", { ...good, encoding: "f64" }, "expected one of f32, f16, int8, topk"],
    ["no parameters", { ...good, length: 0 }, "read an update's head.length"],
    [
      "more parameters than the kernels address",
      { ...good, length: 2 ** 30 },
      "expected a whole number from 1 to 1073741823; got 1073741824",
    ],
    ["no samples", { ...good, numSamples: 0 }, "read an update's head.numSamples"],
    ["half a sample", { ...good, numSamples: 0.5 }, "read an update's head.numSamples"],
    ["int8 without a scale", { ...good, encoding: "int8" }, "read an update's head.scale"],
    ["a negative scale", { ...good, encoding: "int8", scale: -1 }, "read an update's head.scale"],
    [
      "a scale that no float32 has",
      { ...good, encoding: "int8", scale: 1e39 },
      "read an update's head.scale",
    ],
    ["topk without entries", { ...good, encoding: "topk" }, "read an update's head.entries"],
    [
      "more entries than parameters",
      { ...good, encoding: "topk", entries: 6 },
      "read an update's head.entries",
    ],
    ["a checksum of 33 bits", { ...good, checksum: 2 ** 32 }, "read an update's head.checksum"],
    [
      "an accuracy above 1",
      { ...good, metrics: { accuracy: 1.5 } },
      "read an update's head.metrics.accuracy",
    ],
    [
      "a payload of another length",
      { ...good, length: 6 },
      "expected 24 bytes of payload (f32, 6 parameters); got 20",
    ],
    ["a list", [], "expected an object"],
  ])("is rejected with %s", (_, head, message) => {
    expect(() => readUpdateMessage(withHead(JSON.stringify(head)))).toThrow(WireError);
    expect(() => readUpdateMessage(withHead(JSON.stringify(head)))).toThrow(message);
  });

  it("C27: is rejected with a name that reaches a prototype, and with a duplicate name", () => {
    const json = JSON.stringify(good);
    for (const name of ["__proto__", "constructor", "prototype"])
      expect(() => readUpdateMessage(withHead(json.replace("{", `{"${name}":{"polluted":1},`)))).toThrow(
        `got "${name}"`,
      );
    expect(() => readUpdateMessage(withHead(json.replace("{", '{"round":9,')))).toThrow('got "round" again');
  });

  it("is not written if it could not be read", () => {
    expect(() =>
      writeUpdateMessage({ head: { ...heads["f32"]!, numSamples: NaN }, payload: filled(20) }),
    ).toThrow(WireError);
    expect(() => writeUpdateMessage({ head: heads["f32"]!, payload: filled(19) })).toThrow(
      "expected 20 bytes of payload",
    );
  });

  it("is rejected immediately if the head length is invalid", () => {
    expect(() => readUpdateHead(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))).toThrow(WireError);
    expect(() => readUpdateHead(Uint8Array.of(5, 0, 0, 0))).toThrow(WireError);
  });

  it("throws nothing but WireError for prefixes, flipped bits and any bytes", () => {
    const read = (bytes: Uint8Array): boolean => {
      try {
        readUpdateMessage(bytes);
        return true;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return false;
      }
    };
    for (const head of Object.values(heads)) {
      const bytes = messageOf(head);
      for (let length = 0; length < bytes.length; length++)
        expect(read(bytes.subarray(0, length))).toBe(false);
      for (let bit = 0; bit < 8 * bytes.length; bit++)
        read(bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit % 8)) : byte)));
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read(bytes)));
    fc.assert(fc.property(fc.json(), (json) => void read(withHead(json))));
    const nearly = fc.record(
      Object.fromEntries(
        Object.entries({ ...good, scale: 1, entries: 1 }).map(([name, value]) => [
          name,
          fc.oneof(fc.constant(value as unknown), fc.jsonValue(), fc.double()),
        ]),
      ),
      { requiredKeys: [] },
    );
    fc.assert(fc.property(nearly, (head) => void read(withHead(JSON.stringify(head)))));
  });
});
