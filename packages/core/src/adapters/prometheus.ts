/** Labels that identify a series of a metric. Their order does not matter. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Definition of a metric for {@link createMetrics}. */
export interface MetricDefinition {
  /** Type. A counter's name should end in `_total`. */
  readonly type: "counter" | "gauge" | "histogram";
  /** Help text: what the metric measures, in one sentence. */
  readonly text: string;
  /** Upper bounds of a histogram, ascending, without infinity. Default: from 1 ms to 5 s, in seconds. */
  readonly buckets?: readonly number[];
}

/** A value of a metric that is read on demand. */
export interface MetricSample {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** Counters, gauges and histograms in Prometheus' text format; see {@link createMetrics}. */
export interface Metrics {
  /** Adds `amount` to a counter. */
  add(name: string, labels: MetricLabels, amount?: number): void;
  /** Defines a gauge that is read on demand. A further call with the same labels replaces it. */
  gauge(name: string, labels: MetricLabels, read: () => number): void;
  /**
   * Defines all series of a counter or gauge, read on demand: for values that are counted elsewhere, and for
   * series that appear and disappear.
   */
  collect(name: string, read: () => readonly MetricSample[]): void;
  /** Adds a value to a histogram. */
  observe(name: string, labels: MetricLabels, value: number): void;
  /** Returns all metrics as {@link METRICS_TYPE}. */
  text(): string;
}

/** Media type of the text of {@link Metrics}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Accumulated values of one set of labels. */
interface Series {
  /** `name="value",...`, in the order of the labels' first use. */
  readonly pairs: string;
  value: number;
  /** Number of values per bucket, not cumulative. */
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

/** Default buckets: from one run of a digit classifier to a request that takes until its deadline. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Counter of the values dropped because of `maxSeries`. */
const overflow = "sedna_metrics_overflow_total";

/**
 * Creates the metrics of one process. `definitions` names every metric and describes it. A metric keeps at
 * most `maxSeries` sets of labels: values with further labels are only counted in
 * `sedna_metrics_overflow_total`, so that labels from outside cannot fill the memory.
 *
 * @throws {RangeError} Here and from its methods: if Prometheus does not accept a name, a metric is not
 * defined, a method does not fit the metric's type, or an amount is not a finite number from 0 up. Source:
 * Prometheus' exposition formats.
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
      throw new RangeError(`define ${name}: expected ascending buckets; got ${bounds.join(", ")}`);
    metrics.set(name, { ...definition, name, bounds, series: new Map() });
  };
  for (const [name, definition] of Object.entries(definitions)) define(name, definition);
  define(overflow, {
    type: "counter",
    text: "Values dropped because their metric had the maximum number of series, by metric.",
  });

  const find = (name: string, ...types: readonly MetricDefinition["type"][]): Metric => {
    const metric = metrics.get(name);
    if (!metric || !types.includes(metric.type))
      throw new RangeError(
        `count ${name}: expected ${types.map((type) => `a ${type}`).join(" or ")}; got ${metric ? `a ${metric.type}` : "a metric that is not defined"}`,
      );
    return metric;
  };

  /** Returns the series of these labels, or `undefined` if the metric has reached `maxSeries`. */
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
    // The only label is the name of a defined metric, so the number of series is limited.
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
