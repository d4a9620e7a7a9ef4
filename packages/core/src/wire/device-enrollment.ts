import { canonicalJson } from "./canonical-json.ts";
import { failField, fieldsOf, jsonOf, type Fields } from "./read-fields.ts";

// How a device gets a name in a federation that asks who takes part. Its key pair is made on the device, and its private half
// never leaves it; the device's id is the hash of the public one.
//
//   POST /v1/federations/<name>/devices   EnrolmentRequest, with an enrolment token as its bearer's -> EnrolmentGrant
//   POST /v1/federations/<name>/sessions  a SessionRequest with a proof, see federation.ts

/** What a device claims: to be `device`, of this audience, at this time. The same claim is not taken twice. */
export interface DeviceClaim {
  /** For whom the proof is: nobody else takes it. */
  readonly audience: string;
  readonly device: string;
  /** Drawn for this claim. */
  readonly nonce: string;
  /** Unix ms. */
  readonly at: number;
}

/** A signed {@link DeviceClaim}; what it is about is known to who reads it. */
export interface DeviceProof extends Pick<DeviceClaim, "nonce" | "at"> {
  /** ECDSA with P-256 and SHA-256 over {@link claimBytes}, 64 bytes (r, s), in base64. */
  readonly signature: string;
}

/** Asks for a place among a federation's devices. Asked twice, it is the same place. */
export interface EnrollmentRequest {
  readonly protocol: 1;
  /** A point of P-256, uncompressed: 65 bytes in base64. */
  readonly publicKey: string;
  /** What people call the device. */
  readonly label?: string;
  /** That the private key is at hand. */
  readonly proof: DeviceProof;
}

/** A device's place. */
export interface EnrollmentGrant {
  /** See {@link deviceId}. */
  readonly device: string;
  /** Server's clock, unix ms. */
  readonly now: number;
}

const MAX_BYTES = 4096;
const VISIBLE = { pattern: /^[\x21-\x7e]*$/, expected: "visible ASCII" };
/** 65 bytes, of which the first is 4: what is not compressed. */
const PUBLIC_KEY = {
  least: 88,
  most: 88,
  pattern: /^B[A-Za-z0-9+/]{86}=$/,
  expected: "an uncompressed point of P-256 in base64",
};
const SIGNATURE = { least: 88, most: 88, pattern: /^[A-Za-z0-9+/]{86}==$/, expected: "64 bytes in base64" };

/** What a device signs. @throws {WireError} on a text that has no UTF-8. */
export function claimBytes({ audience, device, nonce, at }: DeviceClaim): Uint8Array<ArrayBuffer> {
  return canonicalJson({ audience, device, nonce, at });
}

/** The id of a device: 32 digits of its public key's SHA-256. Takes the hash, since who has a key has a way to hash it. */
export function deviceId(sha256: Uint8Array): string {
  return Array.from(sha256.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** True for a text that {@link deviceId} makes. */
export function isDeviceId(text: unknown): text is string {
  return typeof text === "string" && /^[0-9a-f]{32}$/.test(text);
}

/** @throws {WireError} on anything but a request for enrolment. */
export function parseEnrollmentRequest(body: unknown): EnrollmentRequest {
  const request = fieldsOf(jsonOf(body, { what: "an enrollment", maxBytes: MAX_BYTES }), "an enrollment");
  if (request.value("protocol") !== 1)
    failField("an enrollment.protocol", { expected: "1", got: request.value("protocol") });
  return {
    protocol: 1,
    publicKey: request.text("publicKey", PUBLIC_KEY),
    ...(request.has("label") && { label: request.text("label", { most: 100 }) }),
    proof: readProof(request.object("proof")),
  };
}

/** @throws {WireError} on anything but an enrolment's grant. */
export function parseEnrollmentGrant(body: unknown): EnrollmentGrant {
  const grant = fieldsOf(
    jsonOf(body, { what: "an enrollment's grant", maxBytes: MAX_BYTES }),
    "an enrollment's grant",
  );
  return {
    device: grant.text("device", {
      least: 32,
      most: 32,
      pattern: /^[0-9a-f]*$/,
      expected: "hexadecimal digits in lower case",
    }),
    now: grant.number("now"),
  };
}

function readProof(proof: Fields): DeviceProof {
  return {
    at: proof.whole("at"),
    nonce: proof.text("nonce", VISIBLE),
    signature: proof.text("signature", SIGNATURE),
  };
}
