import { median, quantile } from "./result.ts";

/**
 * A contestant: a function that runs once, async or not; or, for work in another process, a function that
 * returns its own time in ms.
 */
export type Contestant = (() => unknown) | { readonly timed: () => Promise<number> };

/** Times in ms by contestant, with one list per round. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly (readonly number[])[]>>;

/**
 * Runs contestants in turn, one run each, so that disturbances of the machine affect all of them. Each
 * contestant starts every other pair, because the first of a pair finds a different cache state than the
 * second.
 */
export async function interleave<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  { rounds, runs, warmUp = 3 }: { readonly rounds: number; readonly runs: number; readonly warmUp?: number },
): Promise<Rounds<Name>> {
  const names = Object.keys(contestants) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[][]])) as unknown as Record<
    Name,
    number[][]
  >;
  for (let i = 0; i < warmUp; i++) for (const name of names) await timeOf(contestants[name]);
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push([]);
    for (let run = 0; run < runs; run++) {
      for (const name of run % 2 ? names.toReversed() : names)
        times[name].at(-1)!.push(await timeOf(contestants[name]));
    }
  }
  return times;
}

async function timeOf(contestant: Contestant): Promise<number> {
  if (typeof contestant !== "function") return contestant.timed();
  const started = performance.now();
  const result = contestant();
  // An await takes microseconds, so await only if necessary.
  if (result instanceof Promise) await result;
  return performance.now() - started;
}

/** Returns the median over rounds of a's p-quantile over b's. */
export function ratio<Name extends string>(
  rounds: Rounds<Name>,
  { a, b, p = 0.5 }: { readonly a: Name; readonly b: Name; readonly p?: number },
): number {
  return median(rounds[a].map((times, i) => quantile(times, p) / quantile(rounds[b][i]!, p)));
}

/** Returns the median, or another quantile, over all runs of a contestant, in ms. */
export function typical<Name extends string>(rounds: Rounds<Name>, name: Name, p = 0.5): number {
  return quantile(rounds[name].flat(), p);
}
