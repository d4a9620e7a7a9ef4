import { benchFederatedMalicious } from "./malicious.ts";
import { benchFederatedNonIid } from "./noniid.ts";
import { federatedRoundGoals } from "./round-goals.ts";
import { goal, type Figure, type Goal } from "../result.ts";

/** Maximum accuracy loss of 8-bit updates, in points. */
const INT8_POINTS = 0.5;

/**
 * Measures the goals of federated learning, one benchmark after another. The measured figures are passed to
 * `onFigures`.
 */
export async function* federatedGoals(
  onFigures: (figures: readonly Figure[]) => void = () => {},
): AsyncGenerator<Goal> {
  const measured = async (bench: () => Promise<Figure[]>): Promise<(metric: RegExp) => Figure> => {
    const figures = await bench();
    onFigures(figures);
    return (metric) => {
      const found = figures.find((figure) => metric.test(figure.metric));
      if (!found)
        throw new Error(
          `judge a goal: expected a figure like ${metric}; got ${figures.map((figure) => figure.metric).join(", ")}`,
        );
      return found;
    };
  };

  yield* federatedRoundGoals(onFigures);

  const noniid = await measured(benchFederatedNonIid);
  const lost = noniid(/points lost by int8/).value;
  const bytes = noniid(/bytes of int8/).value;
  yield goal("fl.int8-bytes", lost <= INT8_POINTS ? bytes : null, {
    limit: 0.27,
    better: "lower",
    reason: `${lost.toFixed(2)} points of accuracy lost, of ${INT8_POINTS} allowed`,
  });
  yield goal("fl.noniid", noniid(/points below centralised/).value, { limit: 2, better: "lower" });
  const malicious = await measured(benchFederatedMalicious);
  yield goal("fl.malicious", malicious(/points lost/).value, { limit: 3, better: "lower" });
}
