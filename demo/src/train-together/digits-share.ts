import { averagePool, dirichletSplit } from "@sedna-js/core/datasets";
import { seededRandom } from "@sedna-js/core/datasets";
import images from "../../../models/digits/mnist10k-images-idx3-ubyte.gz?url";
import labels from "../../../models/digits/mnist10k-labels-idx1-ubyte.gz?url";
import { readIdx } from "../idx.ts";

/** Width and height of an original digit, in pixels. */
export const SIDE = 28;
/** Features of a digit: its 14 x 14 pooled pixels. */
export const FEATURES = 196;
/** The number of digits that are distributed among the tabs. No tab trains on the rest. */
const DEALT = 8000;
/** Any three tabs with consecutive numbers have all ten digits together. There are nine shares. */
const GROUPS = 3;
const TABS_OF_GROUP = 3;

/** A seed with which no tab's share is tiny. */
const SEED = 7;

/** Digits with their labels. */
export interface Digits {
  /** `[n, 28, 28]` */
  readonly pixels: Uint8Array;
  /** `[n, 196]` */
  readonly features: Float32Array;
  readonly labels: Uint8Array;
}

/** All digits of the page, split into shares. */
export interface DigitsShares {
  /** Returns the digits of the tab with this number. */
  share(number: number): Digits;
  readonly heldOut: Digits;
}

/**
 * Loads the digits and splits them, mostly a few classes per tab: a Dirichlet split with alpha 0.1, the same
 * in every tab.
 */
export async function loadDigits(): Promise<DigitsShares> {
  const read = async (url: string): Promise<Uint8Array> =>
    (await readIdx(new Uint8Array(await (await fetch(url)).arrayBuffer()))).data;
  const [pixels, truth] = await Promise.all([read(images), read(labels)]);
  const features = averagePool(pixels, { width: SIDE, height: SIDE });
  const take = (indices: readonly number[]): Digits => ({
    pixels: gather(pixels, {
      indices,
      size: SIDE * SIDE,
      into: new Uint8Array(indices.length * SIDE * SIDE),
    }),
    features: gather(features, {
      indices,
      size: FEATURES,
      into: new Float32Array(indices.length * FEATURES),
    }),
    labels: Uint8Array.from(indices, (i) => truth[i]!),
  });
  const split = Array.from({ length: GROUPS }, (_, group) => {
    const own = Array.from({ length: Math.floor(DEALT / GROUPS) }, (_, i) => GROUPS * i + group);
    const parts = dirichletSplit(
      own.map((i) => truth[i]!),
      { parts: TABS_OF_GROUP, alpha: 0.1, random: seededRandom({ seed: SEED, stream: group }) },
    );
    return parts.map((part) => part.map((i) => own[i]!));
  }).flat();
  return {
    share: (number) => take(split[number % split.length]!),
    heldOut: take(Array.from({ length: truth.length - DEALT }, (_, i) => DEALT + i)),
  };
}

/** Options of {@link gather}. */
interface GatherOptions<Values extends Uint8Array | Float32Array> {
  readonly indices: readonly number[];
  readonly size: number;
  readonly into: Values;
}

function gather<Values extends Uint8Array | Float32Array>(
  from: Values,
  { indices, size, into }: GatherOptions<Values>,
): Values {
  for (const [n, i] of indices.entries()) into.set(from.subarray(i * size, (i + 1) * size), n * size);
  return into;
}
