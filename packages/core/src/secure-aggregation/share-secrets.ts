import { combine, split } from "shamir-secret-sharing";
import { keyAgreement, type KeyAgreement } from "./key-agreement.ts";
import { sha256 } from "./keystream.ts";
import { fromBase64, toBase64 } from "./secure-keys.ts";

/** Bytes of a share: those of the secret, and where it is on the polynomial. */
const SHARE = 33;

/** What a client keeps for each of its neighbours: of both secrets one share. */
export interface NeighborShares {
  readonly seed: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array<ArrayBuffer>;
}

/** Shares of both secrets of a client, as the plain text of one box for each neighbour. */
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

/** The shares in an opened box; undefined where it holds something else. */
export function readShares(plain: Uint8Array<ArrayBuffer>): NeighborShares | undefined {
  return plain.length === 2 * SHARE ? { seed: plain.slice(0, SHARE), key: plain.slice(SHARE) } : undefined;
}

/** What an aggregator compares a seed with that it put together. */
export const commitmentTo = async (seed: Uint8Array): Promise<string> =>
  toBase64(await sha256("sedna secure sum seed", seed));

/** The seed that shares (base64) give and a commitment is to; undefined where they don't. */
export function joinSeed(
  shares: readonly string[],
  { threshold, commitment }: { readonly threshold: number; readonly commitment: string },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return join(shares, {
    threshold,
    accept: async (seed) => ((await commitmentTo(seed)) === commitment ? seed : undefined),
  });
}

/** The agreement whose secret shares (base64) give and a public key is of; undefined where they don't. */
export function joinKey(
  shares: readonly string[],
  { threshold, maskKey }: { readonly threshold: number; readonly maskKey: string },
): Promise<KeyAgreement | undefined> {
  const accept = async (secret: Uint8Array<ArrayBuffer>): Promise<KeyAgreement | undefined> => {
    const agreement = await keyAgreement(secret);
    return toBase64(agreement.publicKey) === maskKey ? agreement : undefined;
  };
  return join(shares, { threshold, accept });
}

/** Tries as many runs of `threshold` shares as there are shares: one that lies is not in all of them, where there are more than are needed. */
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
    // Two shares of the same place can't be joined, and none is of place 0.
    if (new Set(run.map((share) => share[SHARE - 1])).size < threshold) continue;
    const secret = await accept(Uint8Array.from(await combine(run)));
    if (secret) return secret;
  }
  return undefined;
}
