import { describe, expect, it } from "vitest";
import { parseExposition } from "../../../../testing/checkers/parse-exposition.ts";
import { createMetrics } from "./prometheus.ts";

const make = (options?: { readonly maxSeries?: number }) =>
  createMetrics(
    {
      frames_total: { type: "counter", text: "Frames." },
      queue_items: { type: "gauge", text: "Waiting items." },
      run_seconds: { type: "histogram", text: "Runs.", buckets: [0.1, 1] },
    },
    options,
  );

describe("createMetrics()", () => {
  it("writes the type and help of every metric once, before its values", () => {
    const metrics = make();
    metrics.add("frames_total", { source: "edge" });
    metrics.add("frames_total", { source: "cloud" }, 2);
    const families = parseExposition(metrics.text());
    expect(families.get("frames_total")).toEqual({
      type: "counter",
      help: "Frames.",
      samples: [
        { name: "frames_total", labels: { source: "edge" }, value: 1 },
        { name: "frames_total", labels: { source: "cloud" }, value: 2 },
      ],
    });
    expect(families.get("queue_items")).toEqual({ type: "gauge", help: "Waiting items.", samples: [] });
  });

  it("counts a histogram's values cumulatively, including a value equal to a bound", () => {
    const metrics = make();
    for (const value of [0.05, 0.1, 0.5, 7]) metrics.observe("run_seconds", { model: "m" }, value);
    expect(parseExposition(metrics.text()).get("run_seconds")!.samples).toEqual([
      { name: "run_seconds_bucket", labels: { model: "m", le: "0.1" }, value: 2 },
      { name: "run_seconds_bucket", labels: { model: "m", le: "1" }, value: 3 },
      { name: "run_seconds_bucket", labels: { model: "m", le: "+Inf" }, value: 4 },
      { name: "run_seconds_sum", labels: { model: "m" }, value: 7.65 },
      { name: "run_seconds_count", labels: { model: "m" }, value: 4 },
    ]);
  });

  it("escapes any label and help text", () => {
    const nasty = 'C:\\dir\n"quoted", {x="1"} ü';
    const metrics = createMetrics({ a_total: { type: "counter", text: 'back\\slash\nand "quotes"' } });
    metrics.add("a_total", { path: nasty, empty: "" });
    const family = parseExposition(metrics.text()).get("a_total")!;
    expect(family.help).toBe('back\\slash\nand "quotes"');
    expect(family.samples).toEqual([{ name: "a_total", labels: { path: nasty, empty: "" }, value: 1 }]);
  });

  it("treats the same labels in another order as the same series", () => {
    const metrics = make();
    metrics.add("frames_total", { a: "1", b: "2" });
    metrics.add("frames_total", { b: "2", a: "1" });
    expect(metrics.text()).toContain('frames_total{a="1",b="2"} 2\n');
  });

  it("reads gauges when the text is read, including infinite values", () => {
    const metrics = make();
    const queue = { items: 3 };
    metrics.gauge("queue_items", {}, () => queue.items);
    queue.items = Infinity;
    expect(metrics.text()).toContain("\nqueue_items +Inf\n");
    metrics.collect("queue_items", () => [{ labels: { kind: "sample" }, value: NaN }]);
    expect(metrics.text()).toContain('\nqueue_items{kind="sample"} NaN\n');
  });

  it("keeps at most maxSeries series, and counts the values that it drops", () => {
    const metrics = make({ maxSeries: 2 });
    for (let i = 0; i < 10_000; i++) metrics.add("frames_total", { client: String(i) });
    metrics.add("frames_total", { client: "0" });
    metrics.observe("run_seconds", { client: "a" }, 1);
    const families = parseExposition(metrics.text());
    expect(families.get("frames_total")!.samples.map(({ value }) => value)).toEqual([2, 1]);
    expect(families.get("sedna_metrics_overflow_total")!.samples).toEqual([
      { name: "sedna_metrics_overflow_total", labels: { metric: "frames_total" }, value: 9998 },
    ]);
    metrics.collect("queue_items", () => [1, 2, 3].map((value) => ({ labels: { n: String(value) }, value })));
    expect(parseExposition(metrics.text()).get("queue_items")!.samples).toHaveLength(2);
  });

  it("rejects definitions and values that Prometheus does not accept", () => {
    const metrics = make();
    expect(() => createMetrics({ "a-b": { type: "counter", text: "" } })).toThrow(
      'expected a name of letters, digits, "_" and ":"; got "a-b"',
    );
    expect(() => createMetrics({ a: { type: "histogram", text: "", buckets: [2, 1] } })).toThrow(
      "expected ascending buckets; got 2, 1",
    );
    expect(() => metrics.add("nothing", {})).toThrow(
      "count nothing: expected a counter; got a metric that is not defined",
    );
    expect(() => metrics.add("run_seconds", {})).toThrow("expected a counter; got a histogram");
    expect(() => metrics.add("frames_total", { "no-name": "" })).toThrow("expected labels of letters");
    expect(() => metrics.observe("run_seconds", { le: "1" }, 1)).toThrow("and not le");
    for (const amount of [-1, NaN, Infinity])
      expect(() => metrics.add("frames_total", {}, amount)).toThrow(
        `expected a number from 0 up; got ${amount}`,
      );
  });
});
