import { benchFederatedRound } from "./round.ts";
import { goal, type Figure, type Goal } from "../result.ts";

/** Measures the goals of one round of a thousand clients. The measured figures are passed to `onFigures`. */
export async function* federatedRoundGoals(
  onFigures: (figures: readonly Figure[]) => void = () => {},
): AsyncGenerator<Goal> {
  const figures = await benchFederatedRound();
  onFigures(figures);
  const find = (part: string): Figure => figures.find(({ metric }) => metric.includes(part))!;
  const rss = find("peak RSS");
  yield goal("fl.round-rss", rss.value, { limit: 300, better: "lower" });
  yield goal("fl.rss-growth", rss.ratio ?? null, { limit: 1.2, better: "lower" });
  yield goal("fl.over-receive", find(": round").ratio ?? null, { limit: 1.18, better: "lower" });
  yield goal("fl.cpu-share", find("share of CPU time").value, { limit: 0.12, better: "lower" });
  yield goal("fl.vs-json", find("round and model").ratio ?? null, { limit: 20, better: "higher" });
}
