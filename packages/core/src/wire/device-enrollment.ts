import { toHex } from "../hex.ts";
import { canonicalJson } from "./canonical-json.ts";
import { failField, type Fields, fieldsOf, hexText, jsonOf, visibleAscii } from "./read-fields.ts";

// Enrollment of devices in a federation that authenticates its clients. A device generates its key pair, and
// the private key never leaves the device. The device's ID is the hash of the public key.
//
//   POST /v1/federations/<name>/devices EnrollmentRequest, with an enrollment token as the bearer token ->
//   EnrollmentGrant
//   POST /v1/federations/<name>/sessions a SessionRequest with a proof, see federation.ts

/** A device's claim to be `device`, for this audience, at this time. Each claim is accepted once. */
export interface DeviceClaim {
  /** Recipient of the proof; other recipients reject it. */
  readonly audience: string;
  readonly device: string;
  /** Random value, drawn for this claim. */
  readonly nonce: string;
  /** Time of the claim, in unix ms. */
  readonly at: number;
}

/** A signed {@link DeviceClaim}, without the fields that its reader knows. */
export interface DeviceProof extends Pick<DeviceClaim, "nonce" | "at"> {
  /** ECDSA with P-256 and SHA-256 over {@link claimBytes}, 64 bytes (r, s), in base64. */
  readonly signature: string;
}

/** A request to enroll a device in a federation. A repeated request gets the same enrollment. */
export interface EnrollmentRequest {
  readonly protocol: 1;
  /** Uncompressed point of P-256: 65 bytes in base64. */
  readonly publicKey: string;
  /** Name of the device for people. */
  readonly label?: string;
  /** Proof that the device has the private key. */
  readonly proof: DeviceProof;
}

/** The response to an {@link EnrollmentRequest}. */
export interface EnrollmentGrant {
  /** ID of the device; see {@link deviceId}. */
  readonly device: string;
  /** Server time, in unix ms. */
  readonly now: number;
}

const MAX_BYTES = 4096;
/** Base64 of 65 bytes, of which the first is 4, the mark of an uncompressed point. */
const PUBLIC_KEY = {
  least: 88,
  most: 88,
  pattern: /^B[A-Za-z0-9+/]{86}=$/,
  expected: "an uncompressed point of P-256 in base64",
};
const SIGNATURE = { least: 88, most: 88, pattern: /^[A-Za-z0-9+/]{86}==$/, expected: "64 bytes in base64" };

/**
 * Returns the bytes that a device signs.
 *
 * @throws {WireError} If a string has no UTF-8 form.
 */
export function claimBytes({ audience, device, nonce, at }: DeviceClaim): Uint8Array<ArrayBuffer> {
  return canonicalJson({ audience, device, nonce, at });
}

/**
 * Returns the ID of a device: the first 32 hexadecimal digits of its public key's SHA-256. Takes the hash,
 * because a caller that has a key can hash it.
 */
export function deviceId(sha256: Uint8Array): string {
  return toHex(sha256.subarray(0, 16));
}

/** Whether a value has the form of a {@link deviceId}. */
export function isDeviceId(text: unknown): text is string {
  return typeof text === "string" && /^[0-9a-f]{32}$/.test(text);
}

/**
 * Parses an enrollment request.
 *
 * @throws {WireError} If the body is not an enrollment request.
 */
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

/**
 * Parses the grant of an enrollment.
 *
 * @throws {WireError} If the body is not the grant of an enrollment.
 */
export function parseEnrollmentGrant(body: unknown): EnrollmentGrant {
  const grant = fieldsOf(
    jsonOf(body, { what: "an enrollment's grant", maxBytes: MAX_BYTES }),
    "an enrollment's grant",
  );
  return {
    device: grant.text("device", hexText(16)),
    now: grant.number("now"),
  };
}

function readProof(proof: Fields): DeviceProof {
  return {
    at: proof.whole("at"),
    nonce: proof.text("nonce", visibleAscii),
    signature: proof.text("signature", SIGNATURE),
  };
}
