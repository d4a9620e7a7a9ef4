import { version } from "@sedna-js/core/version";
import type { Attributes, MetricsAPI, ObservableResult, Span, TraceAPI } from "@opentelemetry/api";
import { importOptional } from "@sedna-js/core/errors";
import {
  eventCounters,
  agentLatency,
  statusMetrics,
  counterOf,
  createLatencies,
  type TelemetryAgent,
  type TelemetryResult,
  type TelemetryStatus,
} from "./status-metrics.ts";

/** The parts of `@opentelemetry/api` that are used. */
export interface OpenTelemetryApi {
  readonly metrics: Pick<MetricsAPI, "getMeter">;
  readonly trace: Pick<TraceAPI, "getTracer">;
}

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /** The host's `@opentelemetry/api`, which knows the host's provider. Default: imported. */
  readonly api?: OpenTelemetryApi;
  /**
   * Whether to create a span for every frame when its result is available. Default false, because a camera
   * has many frames.
   */
  readonly spans?: boolean;
  /** Wall clock for the spans: unix time in ms. */
  readonly wallNow?: () => number;
}

/** The OpenTelemetry instruments of an agent. */
export interface AgentInstruments extends Disposable {
  /** Records a result's durations. Never throws. */
  answered(answer: TelemetryResult): void;
}

const scope = { name: "@sedna-js/edge-agent", version } as const;

/**
 * Exports an agent's metrics to the host app's OpenTelemetry until it is disposed. Does nothing if no
 * provider is registered. Errors of a provider never reach the agent.
 *
 * @throws {SednaError} `missing-dependency` if `@opentelemetry/api` is neither given nor installed.
 */
export async function openTelemetry(
  agent: TelemetryAgent,
  { api, spans = false, wallNow = Date.now }: OpenTelemetryOptions = {},
): Promise<AgentInstruments> {
  const { metrics, trace } =
    api ??
    (await importOptional<OpenTelemetryApi>("@opentelemetry/api", {
      action: "tell OpenTelemetry",
      load: () => import("@opentelemetry/api"),
    }));
  const meter = metrics.getMeter(scope.name, scope.version);
  const tracer = spans ? trace.getTracer(scope.name, scope.version) : undefined;
  const endings: (() => void)[] = [];

  for (const [name, { type, unit, text, read }] of Object.entries(statusMetrics)) {
    const create = (type === "counter" ? meter.createObservableCounter : meter.createObservableGauge).bind(
      meter,
    );
    const observable = create(name, { unit, description: text });
    const observe = (result: ObservableResult<Attributes>): void =>
      quietly(() => {
        for (const { labels, value } of read(agent.status() satisfies TelemetryStatus))
          result.observe(value, labels);
      });
    observable.addCallback(observe);
    endings.push(() => observable.removeCallback(observe));
  }
  const counters = new Map(
    Object.entries(eventCounters).map(([name, { unit, text }]) => [
      name,
      meter.createCounter(name, { unit, description: text }),
    ]),
  );
  const latency = meter.createHistogram(agentLatency.name, {
    unit: agentLatency.unit,
    description: agentLatency.text,
  });
  const latencies = createLatencies();
  endings.push(
    agent.on((event) =>
      quietly(() => {
        const counting = counterOf(event);
        if (counting) counters.get(counting.name)!.add(1, counting.labels);
      }),
    ),
  );

  const trail = ({ index, source, reason, isHardExample, timings }: TelemetryResult): void => {
    const now = wallNow();
    const span: Span | undefined = tracer?.startSpan("sedna.inference", {
      startTime: now - timings.total,
      attributes: {
        "sedna.index": index,
        "sedna.source": source,
        "sedna.reason": reason,
        "sedna.hard_example": isHardExample,
        "sedna.edge_ms": timings.edge,
        "sedna.cloud_ms": timings.cloud,
      },
    });
    span?.end(now);
  };

  return {
    answered(answer) {
      quietly(() => {
        for (const { step, seconds } of latencies.of(answer)) latency.record(seconds, { step });
        trail(answer);
      });
    },
    [Symbol.dispose]() {
      for (const end of endings.splice(0)) quietly(end);
    },
  };
}

/** Runs `work` and ignores its errors: a telemetry failure must not affect the agent. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // A provider of the host's; it has its own ways to tell.
  }
}
