import type { Rounds } from "./rounds.ts";

/** Does its work once and gives the ms that it took, by a clock of its own: a page's, Python's or, by {@link stopwatch}, ours. */
export type TimedContestant = () => number | Promise<number>;

/** Times what runs in this process. */
export function stopwatch(run: () => unknown): TimedContestant {
  return async () => {
    const started = performance.now();
    await run();
    return performance.now() - started;
  };
}

/** As `interleave`, for contestants that run in other processes and take their times there. */
export async function interleaveTimed<Name extends string>(contestants: Readonly<Record<Name, TimedContestant>>, { rounds, runs, warmUp = 3 }: { readonly rounds: number; readonly runs: number; readonly warmUp?: number }): Promise<Rounds<Name>> {
  const names = Object.keys(contestants) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[][]])) as unknown as Record<Name, number[][]>;
  for (let i = 0; i < warmUp; i++) for (const name of names) await contestants[name]();
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push([]);
    for (let run = 0; run < runs; run++) for (const name of run % 2 ? names.toReversed() : names) times[name].at(-1)!.push(await contestants[name]());
  }
  return times;
}
