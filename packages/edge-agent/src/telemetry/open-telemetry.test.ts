import {
  metrics,
  trace,
  type Meter,
  type MeterProvider,
  type ObservableCallback,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import { openTelemetry } from "./open-telemetry.ts";
import { answer, events, fakeAgent } from "./pretend-agent.suite.ts";

// Uses the real API with a minimal provider, which is registered as a host app registers its SDK.

interface Recorded {
  readonly name: string;
  readonly value: number;
  readonly attributes: unknown;
}

function provider({ failing = false } = {}) {
  const recorded: Recorded[] = [];
  const callbacks = new Map<ObservableCallback, string>();
  const units = new Map<string, string | undefined>();
  const take =
    (name: string) =>
    (value: number, attributes: unknown = {}): void => {
      if (failing) throw new Error("the exporter is broken");
      recorded.push({ name, value, attributes });
    };
  const made = (name: string, options?: { unit?: string }) => {
    units.set(name, options?.unit);
    return {
      add: take(name),
      record: take(name),
      addCallback: (callback: ObservableCallback) => callbacks.set(callback, name),
      removeCallback: (callback: ObservableCallback) => callbacks.delete(callback),
    };
  };
  const meter = {
    createCounter: made,
    createHistogram: made,
    createObservableCounter: made,
    createObservableGauge: made,
  } as unknown as Meter;
  const meterProvider: MeterProvider = { getMeter: () => meter };
  const collect = (): Recorded[] => {
    for (const [callback, name] of callbacks) void callback({ observe: take(name) });
    return recorded.splice(0);
  };
  return { meterProvider, collect, callbacks, units };
}
afterEach(() => {
  metrics.disable();
  trace.disable();
});

describe("openTelemetry()", () => {
  it("exports the status, the events, and the durations to a registered provider", async () => {
    const { meterProvider, collect, units } = provider();
    metrics.setGlobalMeterProvider(meterProvider);
    const agent = fakeAgent();
    using instruments = await openTelemetry(agent);
    expect(collect()).toEqual(
      expect.arrayContaining([
        { name: "sedna.edge.frames", value: 10, attributes: {} },
        { name: "sedna.edge.traffic", value: 700, attributes: { direction: "up" } },
        { name: "sedna.edge.queue.oldest_age", value: 1.5, attributes: {} },
        {
          name: "sedna.edge.model.info",
          value: 1,
          attributes: { model: "people", version: "3", backend: "webgpu" },
        },
      ]),
    );
    expect([units.get("sedna.edge.traffic"), units.get("sedna.edge.latency")]).toEqual(["By", "s"]);
    agent.now = { ...agent.now, queue: null, model: null };
    collect();
    for (const event of events) agent.emit(event);
    instruments.answered(answer());
    expect(collect().slice(0, 8)).toEqual([
      { name: "sedna.edge.model.restarts", value: 1, attributes: { reason: "device-lost" } },
      { name: "sedna.edge.model.restarts", value: 1, attributes: { reason: "device-lost" } },
      { name: "sedna.edge.updates", value: 1, attributes: { outcome: "swapped" } },
      { name: "sedna.edge.updates", value: 1, attributes: { outcome: "rolled-back" } },
      { name: "sedna.edge.reports", value: 1, attributes: { kind: "inference", outcome: "sent" } },
      { name: "sedna.edge.reports", value: 1, attributes: { kind: "inference", outcome: "failed" } },
      { name: "sedna.edge.sending_failures", value: 1, attributes: { code: "cloud-unreachable" } },
      { name: "sedna.edge.latency", value: 0.04, attributes: { step: "edge" } },
    ]);
  });

  it("creates a span for every frame if spans is set", async () => {
    const spans: unknown[] = [];
    const tracer = {
      startSpan: (name: string, options: object) => ({
        end: (time: number) => spans.push({ name, ...options, time }),
      }),
    } as unknown as Tracer;
    trace.setGlobalTracerProvider({ getTracer: () => tracer } satisfies TracerProvider);
    using instruments = await openTelemetry(fakeAgent(), {
      api: { metrics, trace },
      spans: true,
      wallNow: () => 1000,
    });
    instruments.answered(answer({ index: 7 }));
    expect(spans).toEqual([
      {
        name: "sedna.inference",
        startTime: 958,
        time: 1000,
        attributes: {
          "sedna.index": 7,
          "sedna.source": "edge",
          "sedna.reason": "easy",
          "sedna.hard_example": false,
          "sedna.edge_ms": 40,
          "sedna.cloud_ms": 0,
        },
      },
    ]);
  });

  it("keeps a provider's errors away from the agent, and removes its listeners when disposed", async () => {
    const { meterProvider, callbacks, collect } = provider({ failing: true });
    const agent = fakeAgent();
    const instruments = await openTelemetry(agent, {
      api: { metrics: { getMeter: () => meterProvider.getMeter("") }, trace },
    });
    for (const event of events) agent.emit(event);
    instruments.answered(answer());
    collect();
    expect(callbacks.size).toBeGreaterThan(10);
    instruments[Symbol.dispose]();
    instruments[Symbol.dispose]();
    expect([callbacks.size, agent.listeners.size]).toEqual([0, 0]);
  });

  it("does nothing if the host has not registered a provider", async () => {
    const agent = fakeAgent();
    using instruments = await openTelemetry(agent, { spans: true });
    for (const event of events) agent.emit(event);
    expect(instruments.answered(answer())).toBeUndefined();
  });
});
