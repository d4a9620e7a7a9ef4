import { createMetrics, type MetricDefinition, type MetricSample } from "@sedna-js/core/adapters/prometheus";
import {
  eventCounters,
  agentLatency,
  statusMetrics,
  counterOf,
  createLatencies,
  type TelemetryAgent,
  type TelemetryResult,
} from "./status-metrics.ts";

/** Options of {@link createAgentMetrics}. */
export interface AgentMetricsOptions {
  /** Returns the resident memory of this process in bytes, if the platform reports it. */
  readonly residentBytes?: () => number;
}

/** An agent's metrics in the Prometheus text format. */
export interface AgentMetrics extends Disposable {
  /** Records a result's durations. Never throws. */
  answered(answer: TelemetryResult): void;
  text(): string;
}

/**
 * Converts an OpenTelemetry name to a Prometheus name: `sedna.edge.traffic` in bytes is
 * `sedna_edge_traffic_bytes_total`.
 */
function prometheusName(
  name: string,
  { unit, type }: { readonly unit: string; readonly type: MetricDefinition["type"] },
): string {
  const units: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes" };
  return `${name.replaceAll(".", "_")}${units[unit] ?? ""}${type === "counter" ? "_total" : ""}`;
}

/**
 * Collects an agent's metrics until it is disposed. The agent's own numbers are read whenever the text is.
 */
export function createAgentMetrics(
  agent: TelemetryAgent,
  { residentBytes }: AgentMetricsOptions = {},
): AgentMetrics {
  const latency = prometheusName(agentLatency.name, { ...agentLatency, type: "histogram" });
  const memory = "process_resident_memory_bytes";
  const readings = Object.entries(statusMetrics).map(([name, reading]) => ({
    ...reading,
    name: prometheusName(name, reading),
  }));
  const countings = new Map(
    Object.entries(eventCounters).map(([name, counting]) => [
      name,
      { ...counting, name: prometheusName(name, { ...counting, type: "counter" }) },
    ]),
  );
  const metrics = createMetrics({
    ...Object.fromEntries(readings.map(({ name, type, text }) => [name, { type, text }])),
    ...Object.fromEntries(
      [...countings.values()].map(({ name, text }) => [name, { type: "counter" as const, text }]),
    ),
    [latency]: { type: "histogram", text: agentLatency.text },
    ...(residentBytes && { [memory]: { type: "gauge" as const, text: "Resident memory of this process." } }),
  });
  for (const { name, read } of readings)
    metrics.collect(name, (): readonly MetricSample[] => read(agent.status()));
  if (residentBytes) metrics.gauge(memory, {}, residentBytes);

  const latencies = createLatencies();
  const off = agent.on((event) => {
    const counting = counterOf(event);
    if (counting) metrics.add(countings.get(counting.name)!.name, counting.labels);
  });

  return {
    answered(answer) {
      for (const { step, seconds } of latencies.of(answer))
        if (seconds < Infinity) metrics.observe(latency, { step }, seconds);
    },
    text: () => metrics.text(),
    [Symbol.dispose]: off,
  };
}
