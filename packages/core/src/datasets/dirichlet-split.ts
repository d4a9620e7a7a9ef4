import { describeValue } from "../errors.ts";

/** Options of {@link dirichletSplit}. */
export interface DirichletSplitOptions {
  readonly parts: number;
  /** Concentration, above 0. At 0.1 most parts have one to three classes; at 100 the parts are alike. */
  readonly alpha: number;
  /** Uniform draws in [0,1). */
  readonly random: () => number;
}

/**
 * Splits samples into parts with different class distributions: for each class, the shares of the parts are
 * drawn from a Dirichlet distribution. Every sample goes to one part; a part may be empty. Source: Hsu et
 * al., "Measuring the Effects of Non-Identical Data Distribution", 2019; gamma draws by Marsaglia and Tsang,
 * 2000.
 * @returns The sample indices of each part, ascending within a class.
 * @throws {RangeError} If `parts` is less than 1, or `alpha` is not finite and above 0.
 */
export function dirichletSplit(
  labels: ArrayLike<number>,
  { parts, alpha, random }: DirichletSplitOptions,
): number[][] {
  if (!Number.isSafeInteger(parts) || parts < 1)
    throw new RangeError(
      `split samples: expected parts as a whole number from 1 up; got ${describeValue(parts)}`,
    );
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new RangeError(`split samples: expected alpha as a number above 0; got ${describeValue(alpha)}`);
  const ofClass = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const indices = ofClass.get(labels[i]!) ?? [];
    indices.push(i);
    ofClass.set(labels[i]!, indices);
  }
  const split: number[][] = Array.from({ length: parts }, () => []);
  for (const label of [...ofClass.keys()].toSorted((a, b) => a - b)) {
    const indices = ofClass.get(label)!;
    const draws = split.map(() => logGamma(alpha, random));
    // Use logarithms: with a small alpha, all draws may underflow to 0 in float64.
    const most = Math.max(...draws);
    const shares = draws.map((draw) => Math.exp(draw - most));
    const sum = shares.reduce((total, share) => total + share, 0);
    let taken = 0;
    let dealt = 0;
    for (const [part, share] of shares.entries()) {
      taken += share / sum;
      const end = part === parts - 1 ? indices.length : Math.round(taken * indices.length);
      split[part]!.push(...indices.slice(dealt, end));
      dealt = end;
    }
  }
  return split;
}

/** Returns the logarithm of a draw from Gamma(shape, 1). */
function logGamma(shape: number, random: () => number): number {
  // 1 - random() is above 0.
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(1 - random()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
