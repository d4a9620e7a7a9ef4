import { toHex } from "../hex.ts";
import { SednaError } from "../errors.ts";

/**
 * Stores models and updates by key, where both sides of a federation can access them: Sedna's transmitter.
 * Adapters: S3 and memory; one conformance suite runs on both. Any writer may replace what is stored, so a
 * reader passes the hash that it expects.
 */
export interface WeightStore {
  /**
   * Stores bytes atomically and replaces existing bytes.
   * @throws {RangeError} If {@link checkWeightKey} rejects the key.
   * @throws {SednaError} `cloud-refused`, `cloud-busy`, `cloud-unreachable` or `cloud-timeout` If the store
   * fails.
   */
  put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;
  /**
   * Returns the stored bytes, or `undefined` if the key does not exist.
   * @throws {SednaError} As `put`, and `cloud-garbage` If there are more than `maxBytes` bytes or (retryable)
   * the hash differs from the expected one.
   */
  get(key: string, options: WeightsWanted): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Deletes a key. Does nothing if the key does not exist. */
  delete(key: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** What a reader expects of the bytes. */
export interface WeightsWanted {
  readonly maxBytes: number;
  /** SHA-256 as 64 lowercase hexadecimal digits. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

/**
 * Returns `key` if it is valid: words of letters, digits, "-", "_" and ".", joined by "/". A word does not
 * begin with ".". At most 500 characters.
 * @throws {RangeError} If the key is invalid.
 */
export function checkWeightKey(key: string): string {
  if (key.length > 500 || !/^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/.test(key))
    throw new RangeError(
      `use a weight store: expected a key of words joined by "/"; got ${JSON.stringify(key.slice(0, 100))}`,
    );
  return key;
}

/**
 * Returns the SHA-256 of bytes as 64 lowercase hexadecimal digits.
 * @throws {SednaError} `unsupported-platform` On a page without HTTPS, where browsers have no WebCrypto.
 */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if ((crypto as Partial<typeof crypto>).subtle === undefined)
    throw new SednaError(
      "hash weights: expected WebCrypto; got a page without it: serve the page over HTTPS",
      {
        code: "unsupported-platform",
      },
    );
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Creates the error for more bytes than a reader accepts. */
export function tooManyBytes(
  key: string,
  { maxBytes, got }: { readonly maxBytes: number; readonly got: number | "more" },
): SednaError {
  return new SednaError(`get ${key}: expected at most ${maxBytes} bytes; got ${got}`, {
    code: "cloud-garbage",
  });
}

/**
 * Checks bytes against all known hashes.
 * @throws {SednaError} `cloud-garbage`, retryable, if a hash differs.
 */
export async function checkHash(
  bytes: Uint8Array<ArrayBuffer>,
  { key, hashes }: { readonly key: string; readonly hashes: readonly (string | undefined)[] },
): Promise<void> {
  const known = hashes.filter((one) => one !== undefined);
  if (known.length === 0) return;
  const got = await sha256Hex(bytes);
  const other = known.find((one) => one !== got);
  if (other !== undefined)
    throw new SednaError(
      `get ${key}: expected bytes with SHA-256 ${other}; got ${bytes.length} bytes with ${got}`,
      {
        code: "cloud-garbage",
        retryable: true,
      },
    );
}
