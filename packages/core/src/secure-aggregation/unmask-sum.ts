import type {
  SecureKeys,
  SecureSettings,
  SecureSharesAnswer,
  SecureUnmaskAnswer,
} from "../wire/secure-aggregation.ts";
import { addMask, type RingVector } from "./keystream.ts";
import { meanOf, type SecureMean } from "./quantize.ts";
import { sharedKey } from "./secure-keys.ts";
import { joinKey, joinSeed } from "./share-secrets.ts";

/** A client whose masks are in the sum, or in those of its neighbours. */
export interface MaskedClient {
  readonly index: number;
  readonly keys: SecureKeys;
  readonly neighbors: readonly number[];
  readonly shares: SecureSharesAnswer;
  readonly unmask?: SecureUnmaskAnswer;
  /** Whether its own vector is in the sum. */
  readonly survived: boolean;
}

/**
 * Takes all masks off a sum, in place: the own mask of each survivor, and what survivors put on for each neighbour that
 * dropped out after its shares came. Where that cannot be, `suspect` is whose secret is missing although enough of its
 * neighbours answered: they could not open what it gave them. To make an honest one a suspect, as many of them must lie.
 */
export async function unmaskSum({
  sum,
  settings,
  transcript,
  threshold,
  clients,
}: {
  readonly sum: RingVector;
  readonly settings: SecureSettings;
  readonly transcript: Uint8Array<ArrayBuffer>;
  readonly threshold: number;
  readonly clients: readonly MaskedClient[];
}): Promise<SecureMean | { readonly reason: string; readonly suspect?: number }> {
  const sharesOf = gather(clients);
  const survivors = new Map(clients.filter(({ survived }) => survived).map((one) => [one.index, one]));
  const blame = (index: number, beside: readonly number[]): { readonly suspect?: number } =>
    beside.filter((who) => survivors.get(who)!.unmask).length >= threshold ? { suspect: index } : {};
  for (const { index, keys, neighbors, shares, survived } of clients) {
    const beside = neighbors.filter((who) => survivors.has(who));
    const given = sharesOf({ index, neighbors, which: survived ? "seeds" : "keys" });
    if (survived) {
      const seed = await joinSeed(given, { threshold, commitment: shares.commitment });
      if (!seed)
        return {
          ...blame(index, beside),
          reason: `expected ${threshold} shares that fit of every survivor's seed; got ${given.length} of one`,
        };
      await addMask(sum, { key: seed, sign: -1 });
    } else if (beside.length > 0) {
      const agreement = await joinKey(given, { threshold, maskKey: keys.maskKey });
      if (!agreement)
        return {
          ...blame(index, beside),
          reason: `expected ${threshold} shares that fit of every dropped client's key; got ${given.length} of one`,
        };
      for (const who of beside) {
        const key = await sharedKey(agreement, {
          theirs: survivors.get(who)!.keys.maskKey,
          use: "mask",
          transcript,
        });
        // The survivor with the lower index has added the mask, the other one has taken it away.
        await addMask(sum, { key, sign: who < index ? -1 : 1 });
      }
    }
  }
  const opened = meanOf(sum, settings);
  // Masks that do not cancel leave noise; that its last word looks like a weight is one chance in millions.
  if (
    !opened ||
    opened.totalWeight < survivors.size ||
    opened.totalWeight > survivors.size * settings.maxWeight
  ) {
    return {
      reason: `expected a total weight of ${survivors.size} to ${survivors.size * settings.maxWeight}; got ${opened?.totalWeight ?? 0}: someone's masks do not cancel`,
    };
  }
  return opened;
}

/** Shares of a client's secret that its own neighbours gave. Others have none: what they say is made up. */
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
