import type { JointResult, JointStatistics } from "@sedna-js/core";
import type { MetricSample } from "@sedna-js/core/adapters/prometheus";
import type { QueueEvent, QueueStatistics } from "../queue/durable-queue.ts";
import type { SenderEvent } from "../queue/sender.ts";
import type { Backend, SupervisorEvent } from "../supervisor/supervised-model.ts";
import type { UpdateEvent } from "../updates/update-events.ts";
import type { ReportEvent } from "./report-events.ts";

/** Events that telemetry counts. Other events are ignored. */
export type TelemetryEvent = SupervisorEvent | UpdateEvent | QueueEvent | SenderEvent | ReportEvent;

/** The part of an agent's status that telemetry reads. */
export interface TelemetryStatus {
  readonly joint: JointStatistics;
  readonly queue: QueueStatistics | null;
  readonly model: { readonly name: string; readonly version: number; readonly backend: Backend } | null;
}

/** The part of an agent that telemetry uses. */
export interface TelemetryAgent {
  /** Adds a listener to {@link TelemetryEvent}s, among others. Returns a function that removes it. */
  on(listener: (event: { readonly type: string }) => void): () => void;
  status(): TelemetryStatus;
}

/** The part of an inference result that telemetry uses. */
export type TelemetryResult = Pick<
  JointResult<unknown>,
  "index" | "final" | "source" | "reason" | "isHardExample" | "timings"
>;

/**
 * A number that is read from the status. Names and units follow OpenTelemetry; Prometheus names are derived
 * from them.
 */
export interface Reading {
  readonly type: "counter" | "gauge";
  readonly unit: string;
  readonly text: string;
  read(status: TelemetryStatus): readonly MetricSample[];
}

/** A counter that events increment. */
export interface Counting {
  readonly unit: string;
  readonly text: string;
}

const one = (value: number): readonly MetricSample[] => [{ labels: {}, value }];
const ofJoint = (
  unit: string,
  { text, read }: { readonly text: string; readonly read: (joint: JointStatistics) => number },
): Reading => ({ type: "counter", unit, text, read: ({ joint }) => one(read(joint)) });
const ofQueue = (
  reading: Omit<Reading, "read"> & { readonly read: (queue: QueueStatistics) => readonly MetricSample[] },
): Reading => ({ ...reading, read: ({ queue }) => (queue ? reading.read(queue) : []) });

/** Numbers that are read from the status, by name. */
export const statusMetrics: Readonly<Record<string, Reading>> = {
  "sedna.edge.frames": ofJoint("{frame}", {
    text: "Frames answered.",
    read: (joint) => joint.inferenceNumber,
  }),
  "sedna.edge.hard_examples": ofJoint("{frame}", {
    text: "Frames that the hard example miner marked as hard.",
    read: (joint) => joint.hardExampleNumber,
  }),
  "sedna.edge.offloads": ofJoint("{frame}", {
    text: "Frames sent to the cloud.",
    read: (joint) => joint.offloadedNumber,
  }),
  "sedna.edge.cloud_answers": ofJoint("{frame}", {
    text: "Frames for which the cloud returned a result in time.",
    read: (joint) => joint.cloudNumber,
  }),
  "sedna.edge.fallbacks": ofJoint("{frame}", {
    text: "Frames that used the edge result because the cloud returned none in time.",
    read: (joint) => joint.fallbackNumber,
  }),
  "sedna.edge.failures": ofJoint("{frame}", {
    text: "Frames without any result.",
    read: (joint) => joint.failedNumber,
  }),
  "sedna.edge.drops": ofJoint("{frame}", {
    text: "Frames that a newer frame replaced before they were processed.",
    read: (joint) => joint.droppedNumber,
  }),
  "sedna.edge.traffic": {
    type: "counter",
    unit: "By",
    text: "Bytes between this edge and the big model.",
    read: ({ joint }) => [
      { labels: { direction: "up" }, value: joint.bytesUp },
      { labels: { direction: "down" }, value: joint.bytesDown },
    ],
  },
  "sedna.edge.queue.items": ofQueue({
    type: "gauge",
    unit: "{item}",
    text: "Pending items.",
    read: ({ items }) => one(items),
  }),
  "sedna.edge.queue.size": ofQueue({
    type: "gauge",
    unit: "By",
    text: "Bytes of pending items.",
    read: ({ bytes }) => one(bytes),
  }),
  "sedna.edge.queue.oldest_age": ofQueue({
    type: "gauge",
    unit: "s",
    text: "Age of the oldest pending item.",
    read: ({ oldestAgeMs }) => one(oldestAgeMs / 1000),
  }),
  "sedna.edge.queue.durable": ofQueue({
    type: "gauge",
    unit: "1",
    text: "1 if pending items survive a process crash, 0 while the storage rejects them and they are in memory only.",
    read: ({ durable }) => one(durable ? 1 : 0),
  }),
  "sedna.edge.queue.queued": ofQueue({
    type: "counter",
    unit: "{item}",
    text: "Items accepted by the queue.",
    read: ({ queuedNumber }) => one(queuedNumber),
  }),
  "sedna.edge.queue.sent": ofQueue({
    type: "counter",
    unit: "{item}",
    text: "Items sent.",
    read: ({ sentNumber }) => one(sentNumber),
  }),
  "sedna.edge.queue.dropped": ofQueue({
    type: "counter",
    unit: "{item}",
    text: "Items dropped, by reason.",
    read: ({ droppedNumber }) =>
      Object.entries(droppedNumber).map(([reason, value]) => ({ labels: { reason }, value })),
  }),
  "sedna.edge.model.info": {
    type: "gauge",
    unit: "1",
    text: "1 for the current model, by name, version and backend.",
    read: ({ model }) =>
      model
        ? [
            {
              labels: { model: model.name, version: String(model.version), backend: model.backend },
              value: 1,
            },
          ]
        : [],
  },
};

/** Counters that events increment, by name. */
export const eventCounters: Readonly<Record<string, Counting>> = {
  "sedna.edge.model.restarts": {
    unit: "{restart}",
    text: "Times that the model had to be reopened, by reason.",
  },
  "sedna.edge.updates": { unit: "{update}", text: "Model updates by outcome." },
  "sedna.edge.reports": { unit: "{report}", text: "Reports to Sedna's local controller by outcome." },
  "sedna.edge.sending_failures": { unit: "{failure}", text: "Failed upload attempts of the queue, by code." },
};

/** Histogram of durations, by step. */
export const agentLatency = {
  name: "sedna.edge.latency",
  unit: "s",
  text: "Duration of a frame's steps: the little model, the cloud, and the total.",
} as const;

const outcomes = {
  "update-swapped": "swapped",
  "update-confirmed": "confirmed",
  "update-rejected": "rejected",
  "update-rolled-back": "rolled-back",
} as const;

/** Returns the counter that an event increments, or `undefined` if there is none. */
export function counterOf(told: {
  readonly type: string;
}): { readonly name: string; readonly labels: Readonly<Record<string, string>> } | undefined {
  const event = told as TelemetryEvent;
  switch (event.type) {
    case "model-failed":
      return { name: "sedna.edge.model.restarts", labels: { reason: event.reason } };
    case "update-swapped":
    case "update-confirmed":
    case "update-rejected":
    case "update-rolled-back":
      return { name: "sedna.edge.updates", labels: { outcome: outcomes[event.type] } };
    case "report-sent":
    case "report-failed":
      return {
        name: "sedna.edge.reports",
        labels: { kind: event.kind, outcome: event.type === "report-sent" ? "sent" : "failed" },
      };
    case "upload-failed":
      return { name: "sedna.edge.sending_failures", labels: { code: event.code } };
    default:
      return undefined;
  }
}

/**
 * Returns the durations of a result. An `edge-first` frame has two results, but each of its durations is
 * returned only once. See {@link createLatencies}.
 */
export interface Latencies {
  of(
    answer: TelemetryResult,
  ): readonly { readonly step: "edge" | "cloud" | "total"; readonly seconds: number }[];
}

/**
 * Maximum number of frames that may wait for their second result. Larger than the number of frames in
 * progress.
 */
const MAX_FOLLOWED = 1024;

/** Creates {@link Latencies}, which remember the frames that had their first result already. */
export function createLatencies(): Latencies {
  const followed = new Set<number>();
  return {
    of({ index, final, timings }) {
      const isSecond = followed.delete(index);
      if (!final && followed.size < MAX_FOLLOWED) followed.add(index);
      const steps = isSecond ? (["cloud"] as const) : (["edge", "cloud", "total"] as const);
      // 0 means that a step did not run.
      return steps
        .filter((step) => timings[step] > 0)
        .map((step) => ({ step, seconds: timings[step] / 1000 }));
    },
  };
}
