import { benchAgentIdle } from "./idle.ts";
import { benchAgentOverhead } from "./overhead.ts";
import { benchAgentQueue } from "./queue.ts";
import { benchAgentRecovery } from "./recovery.ts";
import { benchAgentSoak } from "./soak.ts";
import { benchAgentUpdates } from "./updates.ts";
import { goal, type Figure, type Goal } from "../result.ts";

/**
 * Measures the goals of the edge agent, one benchmark after another. The measured figures are passed to
 * `onFigures`.
 */
export async function* agentGoals(
  onFigures: (figures: readonly Figure[]) => void = () => {},
): AsyncGenerator<Goal> {
  const measured = async (bench: () => Promise<Figure[]>): Promise<(metric: RegExp) => readonly Figure[]> => {
    const figures = await bench();
    onFigures(figures);
    return (metric) => figures.filter((figure) => metric.test(figure.metric));
  };
  /**
   * Returns a goal for the sum of the values, or for the single ratio. If a figure could not be measured, the
   * value is `null`, with the reason.
   */
  const lower = (
    name: string,
    found: readonly Figure[],
    { limit, of = "value" }: { readonly limit: number; readonly of?: "value" | "ratio" },
  ): Goal => {
    const lacking = found.find(({ value }) => Number.isNaN(value));
    if (lacking || found.length === 0)
      return goal(name, null, { limit, better: "lower", reason: lacking?.unit ?? "not measured" });
    return goal(
      name,
      found.reduce((sum, figure) => sum + figure[of]!, 0),
      { limit, better: "lower" },
    );
  };

  const soak = await measured(benchAgentSoak);
  yield lower("agent.rss-slope", soak(/^RSS slope/), { limit: 1 });
  const updates = await measured(benchAgentUpdates);
  yield lower("agent.update-memory", updates(/^memory after 100 /), { limit: 1.1, of: "ratio" });
  yield lower("agent.update-lost", updates(/^frames lost/), { limit: 0 });
  const recovery = await measured(benchAgentRecovery);
  yield lower("agent.device-recovery", recovery(/^first result .*median/), { limit: 2 });
  const idle = await measured(benchAgentIdle);
  yield lower("agent.idle-rss", idle(/^sedna-edge run/), { limit: 80 });
  const queue = await measured(benchAgentQueue);
  yield lower("agent.queue-lost", queue(/items lost/), { limit: 0 });
  const overhead = await measured(benchAgentOverhead);
  yield lower("agent.overhead", overhead(/^everything on, p50/), { limit: 1.02, of: "ratio" });
}
