import { averagePool, dirichletSplit } from "@sedna-js/core/datasets";
import { seededRandom } from "@sedna-js/core/datasets";
import images from "../../../models/digits/mnist10k-images-idx3-ubyte.gz?url";
import labels from "../../../models/digits/mnist10k-labels-idx1-ubyte.gz?url";
import { readIdx } from "../idx.ts";

/** Side of a digit as it was written, in pixels. */
export const SIDE = 28;
/** Features of a digit: its 14 x 14 pooled pixels. */
export const FEATURES = 196;
/** The first ones are dealt out; no tab trains on the others. */
const DEALT = 8000;
/**
 * Any three tabs whose numbers follow each other have all ten digits between them; there are nine shares in
 * all.
 */
const GROUPS = 3;
const TABS_OF_GROUP = 3;

/** One by which no tab's share is tiny. */
const SEED = 7;

/** Some digits and what they are. */
export interface Digits {
  /** `[n, 28, 28]` */
  readonly pixels: Uint8Array;
  /** `[n, 196]` */
  readonly features: Float32Array;
  readonly labels: Uint8Array;
}

/** All digits of the page. */
export interface DigitsShares {
  /** What one tab has, by a number of its own. */
  share(number: number): Digits;
  readonly heldOut: Digits;
}

/**
 * Loads the digits and deals them out, mostly a few kinds to each tab: a Dirichlet split at 0.1, the same in
 * every tab.
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
