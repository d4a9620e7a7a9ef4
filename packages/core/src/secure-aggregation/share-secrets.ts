import { combine, split } from "shamir-secret-sharing";
import { keyAgreement, type KeyAgreement } from "./key-agreement.ts";
import { sha256 } from "./keystream.ts";
import { fromBase64, toBase64 } from "./secure-keys.ts";

/** Size of a share in bytes: the size of the secret, plus one byte for its position on the polynomial. */
const SHARE = 33;

/** The shares that a client keeps for a neighbor: one of each secret. */
export interface NeighborShares {
  readonly seed: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array<ArrayBuffer>;
}

/** Splits both secrets of a client into shares. Returns the plaintext of one box for each neighbor. */
export async function splitSecrets(
  { seed, maskSecret }: { readonly seed: Uint8Array; readonly maskSecret: Uint8Array },
  { neighbors, threshold }: { readonly neighbors: number; readonly threshold: number },
): Promise<Uint8Array<ArrayBuffer>[]> {
  const [seeds, keys] = [
    await split(seed, neighbors, threshold),
    await split(maskSecret, neighbors, threshold),
  ];
  return seeds.map((share, i) => Uint8Array.from([...share, ...keys[i]!]));
}

/** Returns the shares in a decrypted box, or `undefined` if it contains something else. */
export function readShares(plain: Uint8Array<ArrayBuffer>): NeighborShares | undefined {
  return plain.length === 2 * SHARE ? { seed: plain.slice(0, SHARE), key: plain.slice(SHARE) } : undefined;
}

/** Returns the commitment that an aggregator compares a reconstructed seed with. */
export const commitmentTo = async (seed: Uint8Array): Promise<string> =>
  toBase64(await sha256("sedna secure sum seed", seed));

/** Reconstructs a seed from shares in base64. Returns `undefined` if they do not match the commitment. */
export function reconstructSeed(
  shares: readonly string[],
  { threshold, commitment }: { readonly threshold: number; readonly commitment: string },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return join(shares, {
    threshold,
    accept: async (seed) => ((await commitmentTo(seed)) === commitment ? seed : undefined),
  });
}

/**
 * Reconstructs a key agreement from shares of its secret in base64. Returns `undefined` if they do not match
 * the public key.
 */
export function reconstructKey(
  shares: readonly string[],
  { threshold, maskKey }: { readonly threshold: number; readonly maskKey: string },
): Promise<KeyAgreement | undefined> {
  const accept = async (secret: Uint8Array<ArrayBuffer>): Promise<KeyAgreement | undefined> => {
    const agreement = await keyAgreement(secret);
    return toBase64(agreement.publicKey) === maskKey ? agreement : undefined;
  };
  return join(shares, { threshold, accept });
}

/**
 * Tries as many cyclic runs of `threshold` shares as there are shares. If there are more shares than needed,
 * a false share is not in all of them.
 */
async function join<Secret>(
  shares: readonly string[],
  {
    threshold,
    accept,
  }: {
    readonly threshold: number;
    readonly accept: (secret: Uint8Array<ArrayBuffer>) => Promise<Secret | undefined>;
  },
): Promise<Secret | undefined> {
  const bytes = shares.map(fromBase64);
  for (let from = 0; from < bytes.length && bytes.length >= threshold; from++) {
    const run = Array.from({ length: threshold }, (_, i) => bytes[(from + i) % bytes.length]!);
    // Two shares of the same position cannot be combined, and no share has position 0.
    if (new Set(run.map((share) => share[SHARE - 1])).size < threshold) continue;
    const secret = await accept(Uint8Array.from(await combine(run)));
    if (secret) return secret;
  }
  return undefined;
}
