import { describe, expect, it } from "vitest";
import { parseExposition } from "../../../../testing/checkers/parse-exposition.ts";
import { createAgentMetrics } from "./agent-metrics.ts";
import { answer, events, fakeAgent } from "./pretend-agent.suite.ts";

const values = (text: string, name: string) =>
  parseExposition(text)
    .get(name)!
    .samples.map(({ labels, value }) => [...Object.values(labels), value]);

describe("createAgentMetrics()", () => {
  it("exports every number of the status", () => {
    using metrics = createAgentMetrics(fakeAgent(), { residentBytes: () => 5e7 });
    const text = metrics.text();
    for (const [name, expected] of Object.entries({
      sedna_edge_frames_total: [[10]],
      sedna_edge_hard_examples_total: [[4]],
      sedna_edge_offloads_total: [[3]],
      sedna_edge_cloud_answers_total: [[2]],
      sedna_edge_fallbacks_total: [[1]],
      sedna_edge_failures_total: [[5]],
      sedna_edge_drops_total: [[6]],
      sedna_edge_traffic_bytes_total: [
        ["up", 700],
        ["down", 80],
      ],
      sedna_edge_queue_items: [[7]],
      sedna_edge_queue_size_bytes: [[900]],
      sedna_edge_queue_oldest_age_seconds: [[1.5]],
      sedna_edge_queue_durable: [[1]],
      sedna_edge_queue_queued_total: [[12]],
      sedna_edge_queue_sent_total: [[3]],
      sedna_edge_queue_dropped_total: [
        ["full", 1],
        ["expired", 2],
        ["storage-full", 0],
        ["rejected", 0],
        ["lost", 4],
      ],
      sedna_edge_model_info: [["people", "3", "webgpu", 1]],
      process_resident_memory_bytes: [[5e7]],
    }))
      expect(values(text, name), name).toEqual(expected);
  });

  it("removes a replaced model and a missing queue", () => {
    const agent = fakeAgent();
    using metrics = createAgentMetrics(agent);
    metrics.text();
    agent.now = { ...agent.now, queue: null, model: { name: "people", version: 4, backend: "wasm" } };
    expect(values(metrics.text(), "sedna_edge_model_info")).toEqual([["people", "4", "wasm", 1]]);
    expect(values(metrics.text(), "sedna_edge_queue_items")).toEqual([]);
    agent.now = { ...agent.now, model: null };
    expect(values(metrics.text(), "sedna_edge_model_info")).toEqual([]);
  });

  it("counts events by their labels", () => {
    const agent = fakeAgent();
    using metrics = createAgentMetrics(agent);
    for (const event of events) agent.emit(event);
    const text = metrics.text();
    expect(values(text, "sedna_edge_model_restarts_total")).toEqual([["device-lost", 2]]);
    expect(values(text, "sedna_edge_updates_total")).toEqual([
      ["swapped", 1],
      ["rolled-back", 1],
    ]);
    expect(values(text, "sedna_edge_reports_total")).toEqual([
      ["inference", "sent", 1],
      ["inference", "failed", 1],
    ]);
    expect(values(text, "sedna_edge_sending_failures_total")).toEqual([["cloud-unreachable", 1]]);
  });

  it("records a frame's durations once, although edge-first yields two results", () => {
    using metrics = createAgentMetrics(fakeAgent());
    metrics.answered(answer({ index: 1, final: false }));
    metrics.answered(
      answer({ index: 1, source: "cloud", timings: { edge: 40, mining: 0, cloud: 300, total: 345 } }),
    );
    metrics.answered(answer({ index: 2, timings: { edge: Infinity, mining: 0, cloud: NaN, total: 1 } }));
    const samples = parseExposition(metrics.text()).get("sedna_edge_latency_seconds")!.samples;
    const of = (suffix: string, step: string) =>
      samples.find(({ name, labels }) => name.endsWith(suffix) && labels["step"] === step)?.value;
    expect([of("_count", "edge"), of("_count", "cloud"), of("_count", "total")]).toEqual([1, 1, 2]);
    expect([of("_sum", "edge"), of("_sum", "cloud")]).toEqual([0.04, 0.3]);
  });

  it("stops listening to the agent when it is disposed", () => {
    const agent = fakeAgent();
    createAgentMetrics(agent)[Symbol.dispose]();
    expect(agent.listeners.size).toBe(0);
  });
});
