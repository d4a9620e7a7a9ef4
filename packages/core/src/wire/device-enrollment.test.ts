import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import {
  claimBytes,
  deviceId,
  isDeviceId,
  parseEnrollmentGrant,
  parseEnrollmentRequest,
  type EnrollmentRequest,
} from "./device-enrollment.ts";

const base64 = (bytes: readonly number[]): string => btoa(String.fromCharCode(...bytes));
const good: EnrollmentRequest = {
  protocol: 1,
  publicKey: base64([4, ...Array.from({ length: 64 }, (_, i) => i)]),
  label: "gate 7",
  proof: {
    at: 1_700_000_000_000,
    nonce: "abc",
    signature: base64(Array.from({ length: 64 }, (_, i) => 255 - i)),
  },
};
const rejection = (body: unknown): string => {
  try {
    parseEnrollmentRequest(body);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return (error as Error).message;
  }
  throw new Error("expected a WireError; the body was accepted");
};

describe("an enrollment", () => {
  it("is parsed without unknown fields", () => {
    expect(parseEnrollmentRequest(JSON.stringify({ ...good, more: 1 }))).toEqual(good);
    const { label: _, ...unnamed } = good;
    expect(parseEnrollmentRequest(unnamed)).toEqual(unnamed);
    expect(parseEnrollmentGrant('{"device":"0123456789abcdef0123456789abcdef","now":5}')).toEqual({
      device: "0123456789abcdef0123456789abcdef",
      now: 5,
    });
  });

  it.each([
    ["another protocol", { ...good, protocol: 2 }, "an enrollment.protocol: expected 1; got 2"],
    [
      "a compressed point",
      { ...good, publicKey: base64([2, ...Array.from({ length: 32 }, () => 7)]) },
      "an enrollment.publicKey",
    ],
    ["a key of another length", { ...good, publicKey: `${good.publicKey}AAAA` }, "an enrollment.publicKey"],
    ["no proof", { ...good, proof: undefined }, "an enrollment.proof: expected an object"],
    [
      "a signature of another length",
      { ...good, proof: { ...good.proof, signature: "AAAA" } },
      "an enrollment.proof.signature",
    ],
    [
      "a time that is not a number",
      { ...good, proof: { ...good.proof, at: "now" } },
      "an enrollment.proof.at",
    ],
    ["a nonce with spaces", { ...good, proof: { ...good.proof, nonce: "a b" } }, "an enrollment.proof.nonce"],
    ["a label with control characters", { ...good, label: "a\u0000b" }, "an enrollment.label"],
    ["a prototype", `{"__proto__":{},"protocol":1}`, "expected no reserved names"],
  ])("with %s is rejected with the name of its field", (_, body, why) => {
    expect(rejection(body)).toContain(why);
  });

  it("C27: throws nothing but WireError for any input", () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.anything(),
      fc.uint8Array(),
      fc.record({
        protocol: fc.constant(1),
        publicKey: fc.string(),
        label: fc.anything(),
        proof: fc.anything(),
      }),
    );
    fc.assert(
      fc.property(anything, (body) => {
        for (const parse of [parseEnrollmentRequest, parseEnrollmentGrant]) {
          try {
            parse(body);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a device's ID and claim", () => {
  it("are the same bytes on both sides", () => {
    expect(deviceId(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe("000102030405060708090a0b0c0d0e0f");
    expect(isDeviceId("000102030405060708090a0b0c0d0e0f")).toBe(true);
    expect(isDeviceId("../../etc/passwd")).toBe(false);
    expect(new TextDecoder().decode(claimBytes({ nonce: "n", device: "d", at: 5, audience: "a" }))).toBe(
      '{"at":5,"audience":"a","device":"d","nonce":"n"}',
    );
  });
});
