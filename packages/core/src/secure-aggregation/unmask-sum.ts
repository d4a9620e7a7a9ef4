import type {
  SecureKeys,
  SecureSettings,
  SecureSharesResponse,
  SecureUnmaskResponse,
} from "../wire/secure-aggregation.ts";
import { addMask, type RingVector } from "./keystream.ts";
import { meanOf, type SecureMean } from "./quantize.ts";
import { sharedKey } from "./secure-keys.ts";
import { reconstructKey, reconstructSeed } from "./share-secrets.ts";

/** A client that has added masks to the sum, or whose neighbors have added masks for it. */
export interface MaskedClient {
  readonly index: number;
  readonly keys: SecureKeys;
  readonly neighbors: readonly number[];
  readonly shares: SecureSharesResponse;
  readonly unmask?: SecureUnmaskResponse;
  /** Whether the client's own vector is in the sum. */
  readonly survived: boolean;
}

/** Options of {@link unmaskSum}. */
interface UnmaskSumOptions {
  readonly sum: RingVector;
  readonly settings: SecureSettings;
  readonly transcript: Uint8Array<ArrayBuffer>;
  readonly threshold: number;
  readonly clients: readonly MaskedClient[];
}

/**
 * Removes all masks from a sum, in place: the own mask of each survivor, and the masks that survivors added
 * for each neighbor that dropped out after its shares were accepted. If that fails, `suspect` is the client
 * whose secret is missing although enough of its neighbors responded: they could not decrypt its shares. An
 * honest client can become a suspect if neighbors send false shares.
 */
export async function unmaskSum({
  sum,
  settings,
  transcript,
  threshold,
  clients,
}: UnmaskSumOptions): Promise<SecureMean | { readonly reason: string; readonly suspect?: number }> {
  const sharesOf = gather(clients);
  const survivors = new Map(clients.filter(({ survived }) => survived).map((one) => [one.index, one]));
  const blame = (index: number, beside: readonly number[]): { readonly suspect?: number } =>
    beside.filter((who) => survivors.get(who)!.unmask).length >= threshold ? { suspect: index } : {};
  for (const { index, keys, neighbors, shares, survived } of clients) {
    const beside = neighbors.filter((who) => survivors.has(who));
    const given = sharesOf({ index, neighbors, which: survived ? "seeds" : "keys" });
    if (survived) {
      const seed = await reconstructSeed(given, { threshold, commitment: shares.commitment });
      if (!seed)
        return {
          ...blame(index, beside),
          reason: `expected ${threshold} matching shares of every survivor's seed; got ${given.length} for one`,
        };
      await addMask(sum, { key: seed, sign: -1 });
    } else if (beside.length > 0) {
      const agreement = await reconstructKey(given, { threshold, maskKey: keys.maskKey });
      if (!agreement)
        return {
          ...blame(index, beside),
          reason: `expected ${threshold} matching shares of every dropped client's key; got ${given.length} for one`,
        };
      for (const who of beside) {
        const key = await sharedKey(agreement, {
          theirs: survivors.get(who)!.keys.maskKey,
          use: "mask",
          transcript,
        });
        // A survivor with a lower index than the dropped client has added the mask, a survivor with a higher
        // index has subtracted it.
        await addMask(sum, { key, sign: who < index ? -1 : 1 });
      }
    }
  }
  const opened = meanOf(sum, settings);
  // Masks that do not cancel leave noise. With 2^22 levels, its last word is a plausible weight with a
  // probability of one in millions.
  if (
    !opened ||
    opened.totalWeight < survivors.size ||
    opened.totalWeight > survivors.size * settings.maxWeight
  ) {
    return {
      reason: `expected a total weight of ${survivors.size} to ${survivors.size * settings.maxWeight}; got ${opened?.totalWeight ?? 0}: the masks do not cancel`,
    };
  }
  return opened;
}

/**
 * Returns a lookup of the shares of a client's secret that its own neighbors sent. Other clients hold no
 * share: what they send is invented.
 */
function gather(
  clients: readonly MaskedClient[],
): (wanted: {
  readonly index: number;
  readonly neighbors: readonly number[];
  readonly which: "seeds" | "keys";
}) => string[] {
  const byHolder = new Map(
    clients.map(({ index, unmask }) => [
      index,
      {
        seeds: new Map(unmask?.seeds.map(({ of, share }) => [of, share])),
        keys: new Map(unmask?.keys.map(({ of, share }) => [of, share])),
      },
    ]),
  );
  return ({ index, neighbors, which }) =>
    neighbors.flatMap((holder) => byHolder.get(holder)?.[which].get(index) ?? []);
}
