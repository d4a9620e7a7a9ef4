import type { Figure, Goal } from "../result.ts";

/** Formats goals as a Markdown table. */
export function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map(
    ({ goal, value, limit, better, holds, reason }) =>
      `| ${goal} | ${value ?? "not measured"} | ${better === "lower" ? "<=" : ">="} ${limit} | ${holds ? "yes" : "no"}${reason && value === null ? `: ${reason}` : ""} |`,
  );
  return ["| goal | value | limit | holds |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** Formats figures as a Markdown table. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(
    ({ name, metric, value, unit, peer, ratio }) =>
      `| ${name} | ${metric} | ${Number.isNaN(value) ? `not measured: ${unit}` : `${Number(value.toPrecision(4))} ${unit}`} | ${ratio === undefined ? "" : `${ratio.toFixed(3)} to ${peer}`} |`,
  );
  return ["| benchmark | measure | value | ratio |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
