/** Names and values that tell the series of one metric apart. Their order does not matter. */
export type MetricLabels = Readonly<Record<string, string>>;

/** What a metric is, for {@link createMetrics}. */
export interface MetricDefinition {
  /** A counter's name should end in `_total`. */
  readonly type: "counter" | "gauge" | "histogram";
  /** What it counts, in a sentence. */
  readonly text: string;
  /** Upper bounds of a histogram, rising, without infinity. Default: seconds, from 1 ms to 5 s. */
  readonly buckets?: readonly number[];
}

/** One value of a metric that is read when the metrics are. */
export interface MetricSample {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** Counters, gauges and histograms in Prometheus' text format; see {@link createMetrics}. */
export interface Metrics {
  /** Adds to a counter. */
  add(name: string, labels: MetricLabels, amount?: number): void;
  /** A value that is read when the metrics are. Calling it again with the same labels replaces the former. */
  gauge(name: string, labels: MetricLabels, read: () => number): void;
  /**
   * All series of a counter or gauge, read when the metrics are: for what is counted elsewhere, and for
   * series that come and go.
   */
  collect(name: string, read: () => readonly MetricSample[]): void;
  /** Counts a value into the buckets of a histogram. */
  observe(name: string, labels: MetricLabels, value: number): void;
  /** Everything, as {@link METRICS_TYPE}. */
  text(): string;
}

/** The media type of {@link Metrics}' text. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What one set of labels has come to. */
interface Series {
  /** `name="value",...`, in the order in which the labels came first. */
  readonly pairs: string;
  value: number;
  /** Values by bucket, not yet summed up. */
  readonly counts: number[];
  sum: number;
  read?: () => number;
}

interface Metric extends MetricDefinition {
  readonly name: string;
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
  collect?: () => readonly MetricSample[];
}

/** From a digit classifier's run to a request at its deadline. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Counts what was lost to `maxSeries`. */
const overflow = "sedna_metrics_overflow_total";

/**
 * Metrics of one process. `definitions` names every metric and says what it counts. A metric holds at most
 * `maxSeries` sets of labels: what comes with others is not counted there but in
 * `sedna_metrics_overflow_total`, so that labels which others choose cannot fill the memory.
 *
 * @throws {RangeError} here and from its methods: names that Prometheus does not take, a metric that is not
 * defined, a method that does not fit its type, an amount that is not a number from 0 up. Source: Prometheus'
 * exposition formats.
 */
export function createMetrics(
  definitions: Readonly<Record<string, MetricDefinition>>,
  { maxSeries = 200 }: { readonly maxSeries?: number } = {},
): Metrics {
  const metrics = new Map<string, Metric>();
  const define = (name: string, definition: MetricDefinition): void => {
    if (!/^[a-zA-Z_:][\w:]*$/.test(name))
      throw new RangeError(
        `define a metric: expected a name of letters, digits, "_" and ":"; got ${JSON.stringify(name)}`,
      );
    const bounds = definition.buckets ?? seconds;
    if (!bounds.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]!)))
      throw new RangeError(`define ${name}: expected buckets that rise; got ${bounds.join(", ")}`);
    metrics.set(name, { ...definition, name, bounds, series: new Map() });
  };
  for (const [name, definition] of Object.entries(definitions)) define(name, definition);
  define(overflow, {
    type: "counter",
    text: "Values not counted because their metric had its most series, by metric.",
  });

  const find = (name: string, ...types: readonly MetricDefinition["type"][]): Metric => {
    const metric = metrics.get(name);
    if (!metric || !types.includes(metric.type))
      throw new RangeError(
        `count ${name}: expected ${types.map((type) => `a ${type}`).join(" or ")}; got ${metric ? `a ${metric.type}` : "a metric that is not defined"}`,
      );
    return metric;
  };

  /** The series of these labels; undefined where there is no room for one more. */
  const seriesOf = (metric: Metric, labels: MetricLabels): Series | undefined => {
    const names = Object.keys(labels);
    const key = JSON.stringify(names.toSorted().map((name) => [name, labels[name]]));
    const known = metric.series.get(key);
    if (known) return known;
    if (metric.series.size >= maxSeries) {
      countLost(metric);
      return undefined;
    }
    for (const name of names)
      if (!/^[a-zA-Z_]\w*$/.test(name) || name === "le")
        throw new RangeError(
          `count ${metric.name}: expected labels of letters, digits and "_", and not le; got ${JSON.stringify(name)}`,
        );
    const series: Series = {
      pairs: pairsOf(labels),
      value: 0,
      counts: Array.from({ length: metric.bounds.length + 1 }, () => 0),
      sum: 0,
    };
    metric.series.set(key, series);
    return series;
  };
  const countLost = ({ name }: Metric): void => {
    // Its only label is the name of a defined metric, so it needs no cap of its own.
    const { series } = metrics.get(overflow)!;
    const lost = series.get(name) ?? { pairs: pairsOf({ metric: name }), value: 0, counts: [], sum: 0 };
    lost.value++;
    series.set(name, lost);
  };

  const collected = (metric: Metric): readonly MetricSample[] => {
    const samples = metric.collect?.() ?? [];
    for (let i = maxSeries; i < samples.length; i++) countLost(metric);
    return samples.slice(0, maxSeries);
  };
  const linesOf = (metric: Metric): string[] => {
    const { name, type, text, bounds, series } = metric;
    const lines = [`# HELP ${name} ${text.replace(/[\\\n]/g, escaped)}`, `# TYPE ${name} ${type}`];
    for (const { pairs, value, counts, sum, read } of series.values()) {
      if (type !== "histogram") {
        lines.push(`${name}${braced(pairs)} ${numberText(read ? read() : value)}`);
        continue;
      }
      const before = pairs === "" ? "" : `${pairs},`;
      let total = 0;
      for (const [i, count] of counts.entries())
        lines.push(
          `${name}_bucket{${before}le="${i < bounds.length ? bounds[i] : "+Inf"}"} ${(total += count)}`,
        );
      lines.push(`${name}_sum${braced(pairs)} ${numberText(sum)}`, `${name}_count${braced(pairs)} ${total}`);
    }
    for (const { labels, value } of collected(metric))
      lines.push(`${name}${braced(pairsOf(labels))} ${numberText(value)}`);
    return lines;
  };

  return {
    add(name, labels, amount = 1) {
      const metric = find(name, "counter");
      const series = seriesOf(metric, labels);
      if (series) series.value += counted(metric, amount);
    },
    gauge(name, labels, read) {
      const series = seriesOf(find(name, "gauge"), labels);
      if (series) series.read = read;
    },
    collect(name, read) {
      find(name, "counter", "gauge").collect = read;
    },
    observe(name, labels, value) {
      const metric = find(name, "histogram");
      const series = seriesOf(metric, labels);
      if (!series) return;
      series.sum += counted(metric, value);
      const above = metric.bounds.findIndex((bound) => value <= bound);
      series.counts[above === -1 ? metric.bounds.length : above]!++;
    },
    text: () => `${[...metrics.values()].flatMap(linesOf).join("\n")}\n`,
  };
}

function counted({ name }: Metric, amount: number): number {
  if (!(amount >= 0 && amount < Infinity))
    throw new RangeError(`count ${name}: expected a number from 0 up; got ${amount}`);
  return amount;
}

const escaped = (c: string): string => (c === "\n" ? "\\n" : `\\${c}`);

function pairsOf(labels: MetricLabels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`)
    .join(",");
}

const braced = (pairs: string): string => (pairs === "" ? "" : `{${pairs}}`);

const numberText = (value: number): string =>
  Math.abs(value) === Infinity ? (value > 0 ? "+Inf" : "-Inf") : String(value);
