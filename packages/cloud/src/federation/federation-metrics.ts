import type { MetricSample, Metrics } from "@sedna-js/core";
import type { Federation } from "./federation.ts";

/** Lets a cloud's metrics read what its federations count. */
export function collectFederationMetrics(federations: readonly Federation[], metrics: Metrics): void {
  const collect = (
    name: string,
    read: (
      federation: Federation,
    ) => readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[],
  ): void => {
    metrics.collect(name, (): readonly MetricSample[] =>
      federations.flatMap((federation) =>
        read(federation).map(({ labels = {}, value }) => ({
          labels: { federation: federation.plan.name, ...labels },
          value,
        })),
      ),
    );
  };
  collect("sedna_federation_rounds_total", (federation) => {
    const { aggregated, abandoned } = federation.stats();
    return [
      { labels: { outcome: "aggregated" }, value: aggregated },
      { labels: { outcome: "abandoned" }, value: abandoned },
    ];
  });
  collect("sedna_federation_updates_total", (federation) => {
    const { counted, refused } = federation.stats();
    return [
      { labels: { code: "counted" }, value: counted },
      ...Object.entries(refused).map(([code, value]) => ({ labels: { code }, value })),
    ];
  });
  collect("sedna_federation_bytes_total", (federation) => [{ value: federation.stats().bytes }]);
  collect("sedna_federation_check_seconds_total", (federation) => [
    { value: federation.stats().busyMs / 1000 },
  ]);
  collect("sedna_federation_uploads", (federation) => {
    const { taken, waiting } = federation.stats();
    return [
      { labels: { state: "in memory" }, value: taken },
      { labels: { state: "waiting" }, value: waiting },
    ];
  });
  collect("sedna_federation_open_seconds", (federation) => [
    { value: (federation.stats().openForMs ?? 0) / 1000 },
  ]);
  collect("sedna_federation_model_version", (federation) => [{ value: federation.stats().modelVersion }]);
}
