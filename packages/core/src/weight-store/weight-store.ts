import { SednaError } from "../errors.ts";

/**
 * Models and updates by key, where both sides of a federation reach them: what Sedna calls a transmitter.
 * Adapters: S3 and memory; one conformance suite runs on both. Whoever may write in it may replace what is
 * there, so a reader says which hash it expects.
 */
export interface WeightStore {
  /**
   * Puts bytes, all or none, in place of what was there.
   * @throws {RangeError} on a key that {@link checkWeightKey} refuses. {SednaError} `cloud-refused`,
   * `cloud-busy`, `cloud-unreachable`, `cloud-timeout`.
   */
  put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;
  /**
   * What was put; undefined where there is nothing.
   * @throws {SednaError} also `cloud-garbage` on more than `maxBytes`, and, retryable, on another hash than
   * expected.
   */
  get(key: string, options: WeightsWanted): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Deletes a key. Does nothing if the key does not exist. */
  delete(key: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** What a reader expects. */
export interface WeightsWanted {
  readonly maxBytes: number;
  /** SHA-256, 64 digits in lower case. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

/**
 * Keys are words of letters, digits, "-", "_" and ".", joined by "/"; none begins with ".". At most 500
 * characters. @throws {RangeError} on others.
 */
export function checkWeightKey(key: string): string {
  if (key.length > 500 || !/^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/.test(key))
    throw new RangeError(
      `use a weight store: expected a key of words joined by "/"; got ${JSON.stringify(key.slice(0, 100))}`,
    );
  return key;
}

/**
 * The SHA-256 of bytes, 64 digits in lower case. @throws {SednaError} `unsupported-platform` on a page
 * without HTTPS, where browsers have no WebCrypto.
 */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if ((crypto as Partial<typeof crypto>).subtle === undefined)
    throw new SednaError("hash weights: expected WebCrypto; got a page without it: serve the page by HTTPS", {
      code: "unsupported-platform",
    });
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** The error for more bytes than a reader takes. */
export function tooManyBytes(
  key: string,
  { maxBytes, got }: { readonly maxBytes: number; readonly got: number | "more" },
): SednaError {
  return new SednaError(`get ${key}: expected at most ${maxBytes} bytes; got ${got}`, {
    code: "cloud-garbage",
  });
}

/** Throws unless the bytes have each of the hashes that are known. */
export async function checkHash(
  bytes: Uint8Array<ArrayBuffer>,
  { key, hashes }: { readonly key: string; readonly hashes: readonly (string | undefined)[] },
): Promise<void> {
  const known = hashes.filter((one) => one !== undefined);
  if (known.length === 0) return;
  const got = await sha256Hex(bytes);
  const other = known.find((one) => one !== got);
  if (other !== undefined)
    throw new SednaError(`get ${key}: expected bytes of SHA-256 ${other}; got ${bytes.length} of ${got}`, {
      code: "cloud-garbage",
      retryable: true,
    });
}
