type Labels = Readonly<Record<string, string>>;

/** Counters and gauges in Prometheus' text format; see {@link createMetrics}. */
export interface Metrics {
  /** Adds to a counter. The name should end in `_total`, `_sum` or `_count`. */
  add(name: string, labels: Labels, amount?: number): void;
  /** A value that is read when the metrics are. */
  gauge(name: string, labels: Labels, read: () => number): void;
  /** Counts a value into the buckets of a histogram. */
  observe(name: string, labels: Labels, value: number): void;
  /** Everything, as `text/plain; version=0.0.4`. */
  text(): string;
}

/** Upper bounds in seconds: from a digit classifier's run to a request at its deadline. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * Metrics of one cloud. `help` names every metric and says what it counts.
 * Source: Prometheus' exposition formats.
 */
export function createMetrics(help: Readonly<Record<string, { readonly type: "counter" | "gauge" | "histogram"; readonly text: string }>>): Metrics {
  const values = new Map<string, Map<string, number>>();
  const gauges = new Map<string, Map<string, () => number>>();

  const add = (series: string, labels: Labels, amount = 1): void => {
    const of = values.get(series) ?? new Map<string, number>();
    const key = format(labels);
    of.set(key, (of.get(key) ?? 0) + amount);
    values.set(series, of);
  };

  return {
    add,
    gauge(name, labels, read) {
      const of = gauges.get(name) ?? new Map<string, () => number>();
      gauges.set(name, of.set(format(labels), read));
    },
    observe(name, labels, value) {
      for (const bound of buckets) add(`${name}_bucket`, { ...labels, le: String(bound) }, value <= bound ? 1 : 0);
      add(`${name}_bucket`, { ...labels, le: "+Inf" });
      add(`${name}_sum`, labels, value);
      add(`${name}_count`, labels);
    },
    text() {
      const lines: string[] = [];
      for (const [name, { type, text }] of Object.entries(help)) {
        lines.push(`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`);
        const series = type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
        for (const one of series) for (const [labels, value] of values.get(one) ?? []) lines.push(`${one}${labels} ${value}`);
        for (const [labels, read] of gauges.get(name) ?? []) lines.push(`${name}${labels} ${read()}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}

function format(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
