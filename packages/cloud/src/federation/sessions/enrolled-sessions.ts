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
  /** For whom proofs and tokens are: another one on every aggregator, so that none is of use elsewhere. */
  readonly audience: string;
  readonly registry: DeviceRegistry;
  /** What a device has to know to be enrolled. Without any, devices come into the registry in another way. */
  readonly enrollmentTokens?: readonly string[];
  /** Signs the sessions' tokens, 32 bytes or more; keep it, and sessions outlive a restart. */
  readonly secret: string;
  /** How long a token lasts, in s. Default 600. */
  readonly tokenSeconds?: number;
  /** How far a device's clock may be off, in ms. Default 300000. */
  readonly windowMs?: number;
  /** Sessions that a device may begin a minute. Default 30. */
  readonly perMinute?: number;
  /** Default 100000. */
  readonly maxDevices?: number;
  /** Unix time in ms. */
  readonly now?: () => number;
}

/** Sessions of devices that prove who they are. */
export interface EnrolledSessions extends Sessions {
  /**
   * Takes a device in, or finds it there.
   * @throws {SednaError} `cloud-refused` without a good enrolment token, on a proof that is none, and where
   * the device was revoked.
   */
  enroll(
    request: EnrollmentRequest,
    options: { readonly token: string | undefined },
  ): Promise<EnrollmentGrant & { readonly isNew: boolean }>;
  /** Bars a device; its session ends with the next question. False where there is none. */
  revoke(device: string): Promise<boolean>;
}

const KEY = { name: "ECDSA", namedCurve: "P-256" };
/** Of all devices together: who guesses tokens is slow. */
const MAX_ENROLLMENTS_PER_SECOND = 20;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

/** What `checkProof` takes. */
interface CheckProofOptions {
  readonly device: string;
  readonly publicKey: string;
  /** Asked once it is the device itself. */ readonly admit?: () => void;
}

/**
 * Sessions for devices with a key of their own: each was enrolled once by a token that its owner has, and
 * proves at each join that it has the key. A proof is for this audience alone, good for a few minutes, and
 * good once.
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

  const enrolments = createPaceLimiter({
    perSecond: MAX_ENROLLMENTS_PER_SECOND,
    burst: 5 * MAX_ENROLLMENTS_PER_SECOND,
    now,
  });

  const checkProof = async (
    proof: DeviceProof,
    { device, publicKey, admit }: CheckProofOptions,
  ): Promise<void> => {
    const { at, nonce, signature } = proof;
    // Looked at first, as it costs nothing; who is told the time has learned nothing.
    if (Math.abs(now() - at) > windowMs)
      throw reject(
        `a proof of within ${windowMs / 1000} s of now, ${new Date(now()).toISOString()} by the server's clock`,
        `one of ${isoOf(at)}`,
      );
    if (!(await isSigned({ audience, device, nonce, at }, { publicKey, signature })))
      throw reject("a proof for this audience, signed by the device's key", "another");
    admit?.();
    if (!nonces.take(`${device} ${nonce}`)) throw reject("a proof that was not used before", "one that was");
  };

  return {
    async enroll({ publicKey, label = "", proof }, { token }) {
      const retryAfterMs = enrolments.admit();
      if (retryAfterMs !== undefined)
        throw new SednaError(
          `let a device in: expected at most ${MAX_ENROLLMENTS_PER_SECOND} a second; got more`,
          { code: "cloud-busy", retryable: true, retryAfterMs },
        );
      if (!(await isOneOf(token, enrollmentTokens))) throw reject("a good enrollment token", "none that is");
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
    // A point that is not on the curve, or a text without UTF-8.
    return false;
  }
}

/** Compares with all of them, whichever it is. */
async function isOneOf(token: string | undefined, all: readonly string[]): Promise<boolean> {
  const found = await Promise.all(all.map((one) => timingSafeEqualText(token ?? "", one)));
  return token !== undefined && found.includes(true);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** A time as text; what no calendar has as a number. */
function isoOf(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at);
}

function reject(expected: string, got: string): SednaError {
  return new SednaError(`let a device in: expected ${expected}; got ${got}`, { code: "cloud-refused" });
}

/** Remembers which proofs were used; see {@link proofNonces}. */
interface ProofNonces {
  /** False where it was taken before. */
  take(nonce: string): boolean;
}

/**
 * Keeps what was used for as long as the proof that it was in can be good: from `windowMs` before now to
 * `windowMs` after. Only what a signature vouches for may come here, and how often that comes is limited, so
 * it stays small.
 */
function proofNonces({
  windowMs,
  now,
}: {
  readonly windowMs: number;
  readonly now: () => number;
}): ProofNonces {
  // In the order in which they came.
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
 * Whether two texts are equal, in a time that does not tell where they differ: their hashes are compared to
 * the end.
 */
async function timingSafeEqualText(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [given, expected].map(
      async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
    ),
  );
  return a!.reduce((difference, byte, i) => difference | (byte ^ b![i]!), 0) === 0;
}
