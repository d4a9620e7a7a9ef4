import * as zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "./crc32.ts";

/** The definition, a bit at a time. */
const slowly = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
};

describe("crc32()", () => {
  it("has the check value of the catalogue, and 0 for no bytes", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it("is what the definition gives, at any length and any place in a buffer", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(9), (bytes, skip) => crc32(bytes.subarray(skip)) === slowly(bytes.subarray(skip))));
  });

  it("goes on where it was: pieces give what the whole gives", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => crc32(bytes.subarray(at), crc32(bytes.subarray(0, at))) === crc32(bytes)));
  });

  const native = (zlib as { readonly crc32?: (bytes: Uint8Array, previous?: number) => number }).crc32;
  it.skipIf(native === undefined)("is zlib's (skipped where Node is older than 20.15 or 22.2 and zlib has none)", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1003 }), fc.nat(0xffffffff), (bytes, previous) => crc32(bytes, previous) === native!(bytes, previous)));
  });
});
