import { SednaError } from "@sedna-js/core";
import {
  claimBytes,
  type DeviceClaim,
  deviceId,
  type DeviceProof,
  type EnrollmentGrant,
  type EnrollmentRequest,
  isDeviceId,
} from "@sedna-js/core/wire";
import { createPaceLimiter } from "../../http/pace.ts";
import { standingOf, unauthorized } from "./anonymous-sessions.ts";
import type { DeviceRegistry } from "./device-registry.ts";
import { sessionEpochs } from "./session-epochs.ts";
import { sessionTokens } from "./session-tokens.ts";
import type { Sessions } from "./sessions.ts";

/** Options of {@link enrolledSessions}. */
export interface EnrolledSessionsOptions {
  /**
   * Name of the aggregator for which proofs and tokens are valid. It must differ between aggregators, so that
   * a proof or token is useless elsewhere.
   */
  readonly audience: string;
  readonly registry: DeviceRegistry;
  /**
   * Tokens with which a device may enroll. Default: none, if devices are added to the registry in another
   * way.
   */
  readonly enrollmentTokens?: readonly string[];
  /** Signs the session tokens; at least 32 bytes. With the same secret, sessions survive a restart. */
  readonly secret: string;
  /** Lifetime of a token, in s. Default 600. */
  readonly tokenSeconds?: number;
  /** Maximum deviation of a device's clock, in ms. Default 300000. */
  readonly windowMs?: number;
  /** Sessions that a device may start per minute. Default 30. */
  readonly perMinute?: number;
  /** Maximum number of devices. Default 100000. */
  readonly maxDevices?: number;
  /** Returns the Unix time in ms. Default `Date.now`. */
  readonly now?: () => number;
}

/** Sessions of devices that prove their identity. */
export interface EnrolledSessions extends Sessions {
  /**
   * Enrolls a device, or returns its existing enrollment.
   * @throws {SednaError} `cloud-refused` If the enrollment token or the proof is invalid, or the device was
   * revoked; `cloud-busy` if too many devices enroll.
   */
  enroll(
    request: EnrollmentRequest,
    options: { readonly token: string | undefined },
  ): Promise<EnrollmentGrant & { readonly isNew: boolean }>;
  /** Revokes a device; its session ends at the next request. Resolves with false if the device is unknown. */
  revoke(device: string): Promise<boolean>;
}

const KEY = { name: "ECDSA", namedCurve: "P-256" };
/** Rate limit for all devices together: it slows down the guessing of tokens. */
const MAX_ENROLLMENTS_PER_SECOND = 20;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

/** What `checkProof` takes. */
interface CheckProofOptions {
  readonly device: string;
  readonly publicKey: string;
  /** Called after the signature is verified. */ readonly admit?: () => void;
}

/**
 * Creates sessions for devices that have their own key pair. Each device enrolls once with a token from its
 * owner, and proves at each join that it has the key. A proof is valid for this audience only, for a few
 * minutes, and once.
 */
export function enrolledSessions({
  audience,
  registry,
  enrollmentTokens = [],
  secret,
  tokenSeconds = 600,
  windowMs = 300_000,
  perMinute = 30,
  maxDevices = 100_000,
  now = Date.now,
}: EnrolledSessionsOptions): EnrolledSessions {
  const tokens = sessionTokens({ secret, audience, tokenSeconds, now });
  const epochs = sessionEpochs({ perMinute, maxDevices, lastsMs: 1000 * tokenSeconds, now });
  const nonces = proofNonces({ windowMs, now });

  const enrollments = createPaceLimiter({
    perSecond: MAX_ENROLLMENTS_PER_SECOND,
    burst: 5 * MAX_ENROLLMENTS_PER_SECOND,
    now,
  });

  const checkProof = async (
    proof: DeviceProof,
    { device, publicKey, admit }: CheckProofOptions,
  ): Promise<void> => {
    const { at, nonce, signature } = proof;
    // Check the time first, because it is cheap. The server time in the message reveals nothing.
    if (Math.abs(now() - at) > windowMs)
      throw reject(
        `a proof made within ${windowMs / 1000} s of ${new Date(now()).toISOString()} by the server's clock`,
        `one of ${isoOf(at)}`,
      );
    if (!(await isSigned({ audience, device, nonce, at }, { publicKey, signature })))
      throw reject("a proof for this audience, signed by the device's key", "another");
    admit?.();
    if (!nonces.take(`${device} ${nonce}`)) throw reject("a proof that was not used before", "one that was");
  };

  return {
    async enroll({ publicKey, label = "", proof }, { token }) {
      const retryAfterMs = enrollments.admit();
      if (retryAfterMs !== undefined)
        throw new SednaError(
          `enroll a device: expected at most ${MAX_ENROLLMENTS_PER_SECOND} a second; got more`,
          { code: "cloud-busy", retryable: true, retryAfterMs },
        );
      if (!(await isOneOf(token, enrollmentTokens)))
        throw reject("a valid enrollment token", "an invalid one, or none");
      const raw = bytesOf(publicKey);
      const device = deviceId(new Uint8Array(await crypto.subtle.digest("SHA-256", raw)));
      await checkProof(proof, { device, publicKey });
      const known = await registry.get(device);
      const record = known ?? (await registry.put({ device, publicKey, label, enrolledAt: now() }));
      if (record.revokedAt !== undefined)
        throw reject("a device that was not revoked", `${device}, which was`);
      return { device, now: now(), isNew: known === undefined };
    },
    async grant({ device, proof }, { after } = {}) {
      const record = isDeviceId(device) ? await registry.get(device) : undefined;
      if (!record || record.revokedAt !== undefined)
        throw reject("a device that is enrolled", record ? "one that was revoked" : "another");
      if (!proof) throw reject("a proof by the device's key", "none");
      await checkProof(proof, { ...record, admit: () => epochs.admit(device) });
      const member = { client: device, epoch: epochs.begin(device, after) };
      return { ...member, token: await tokens.issue(member), expiresIn: tokenSeconds };
    },
    async verify(token) {
      const member = await tokens.read(token);
      const record = member && (await registry.get(member.client));
      return record && record.revokedAt === undefined ? standingOf(member!, epochs) : unauthorized();
    },
    end: ({ client, epoch }) => epochs.end(client, epoch),
    revoke: (device) => registry.revoke(device, { at: now() }),
  };
}

async function isSigned(
  claim: DeviceClaim,
  { publicKey, signature }: { readonly publicKey: string; readonly signature: string },
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", bytesOf(publicKey), KEY, false, ["verify"]);
    return await crypto.subtle.verify(SIGNATURE, key, bytesOf(signature), claimBytes(claim));
  } catch {
    // A point that is not on the curve, or a string that is not valid base64 or Unicode.
    return false;
  }
}

/** Compares the token with all expected ones, so that the time does not depend on which one matches. */
async function isOneOf(token: string | undefined, all: readonly string[]): Promise<boolean> {
  const found = await Promise.all(all.map((one) => timingSafeEqualText(token ?? "", one)));
  return token !== undefined && found.includes(true);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Formats a time as ISO 8601, or as a number if it is outside the range of `Date`. */
function isoOf(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at);
}

function reject(expected: string, got: string): SednaError {
  return new SednaError(`admit a device: expected ${expected}; got ${got}`, { code: "cloud-refused" });
}

/** Remembers used proofs; see {@link proofNonces}. */
interface ProofNonces {
  /** Returns false if the nonce was used before. */
  take(nonce: string): boolean;
}

/**
 * Keeps each used nonce for as long as its proof could be valid: from `windowMs` before now to `windowMs`
 * after. Call it only for proofs with a verified signature and under a rate limit, so that the store stays
 * small.
 */
function proofNonces({
  windowMs,
  now,
}: {
  readonly windowMs: number;
  readonly now: () => number;
}): ProofNonces {
  // In order of insertion.
  const used = new Map<string, number>();
  return {
    take(nonce) {
      for (const [old, at] of used) {
        if (now() - at <= 2 * windowMs) break;
        used.delete(old);
      }
      if (used.has(nonce)) return false;
      used.set(nonce, now());
      return true;
    },
  };
}

/**
 * Compares two strings in a time that does not reveal where they differ: always compares their SHA-256 hashes
 * to the end.
 */
async function timingSafeEqualText(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [given, expected].map(
      async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
    ),
  );
  return a!.reduce((difference, byte, i) => difference | (byte ^ b![i]!), 0) === 0;
}
