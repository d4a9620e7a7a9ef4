import type { SimulatedRound, SimulationResult } from "./run-simulation.ts";

const columns = [
  { name: "round", width: 6, text: ({ round }) => String(round) },
  { name: "model", width: 10, text: ({ outcome }) => (outcome === "aggregated" ? "new" : "abandoned") },
  { name: "selected", width: 9, text: ({ selected }) => String(selected) },
  { name: "accepted", width: 8, text: ({ accepted }) => String(accepted) },
  { name: "dropped", width: 8, text: ({ dropped }) => String(dropped) },
  { name: "late", width: 6, text: ({ late }) => String(late) },
  { name: "rejected", width: 8, text: ({ rejected }) => String(rejected) },
  { name: "loss", width: 8, text: ({ loss }) => loss.toFixed(3) },
  { name: "accuracy", width: 9, text: ({ accuracy }) => `${(100 * accuracy).toFixed(1)} %` },
  { name: "time", width: 9, text: ({ seconds }) => `${seconds.toFixed(1)} s` },
] as const satisfies readonly {
  readonly name: string;
  readonly width: number;
  readonly text: (round: SimulatedRound) => string;
}[];

/** Returns the header line of a table of rounds. */
export const tableHeader = (): string => columns.map(({ name, width }) => name.padStart(width)).join(" ");

/** Returns a round as a line of the table. */
export const tableLine = (round: SimulatedRound): string =>
  columns.map(({ text, width }) => text(round).padStart(width)).join(" ");

/** Returns a summary of a simulation, in one or two sentences. */
export function tableSummary(
  { rounds, clients, quarantined, seconds }: SimulationResult,
  tookMs: number,
): string {
  const last = rounds.at(-1);
  const made = rounds.filter(({ outcome }) => outcome === "aggregated").length;
  const hours = seconds >= 7200 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 60).toFixed(1)} min`;
  const abandoned = rounds.length === made ? "" : `, ${rounds.length - made} attempts abandoned`;
  const left = quarantined === 0 ? "" : ` ${quarantined} clients are in quarantine.`;
  return `${clients} clients, ${made} models${abandoned}: ${last ? `${(100 * last.accuracy).toFixed(1)} % correct on samples that no client trained on` : "no round closed"}.${left} ${hours} simulated in ${(tookMs / 1000).toFixed(1)} s.`;
}
