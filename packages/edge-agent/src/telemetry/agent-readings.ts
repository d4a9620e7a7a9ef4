import type { JointResult, JointStatistics } from "@sedna-js/core";
import type { MetricSample } from "@sedna-js/core/adapters/prometheus";
import type { QueueEvent, QueueStatistics } from "../queue/durable-queue.ts";
import type { SenderEvent } from "../queue/create-sender.ts";
import type { Backend, SupervisorEvent } from "../supervisor/supervised-model.ts";
import type { UpdateEvent } from "../updates/update-events.ts";
import type { ReportEvent } from "./report-events.ts";

/** The events that telemetry counts; others pass unseen. */
export type TelemetryEvent = SupervisorEvent | UpdateEvent | QueueEvent | SenderEvent | ReportEvent;

/** How an agent is doing, as far as telemetry reads it. */
export interface TelemetryStatus {
  readonly joint: JointStatistics;
  readonly queue: QueueStatistics | null;
  readonly model: { readonly name: string; readonly version: number; readonly backend: Backend } | null;
}

/** What telemetry needs of an agent. */
export interface TelemetryAgent {
  /** Tells {@link TelemetryEvent}s, among others. */
  on(listener: (event: { readonly type: string }) => void): () => void;
  status(): TelemetryStatus;
}

/** What telemetry needs of an answer. */
export type TelemetryAnswer = Pick<
  JointResult<unknown>,
  "index" | "final" | "source" | "reason" | "isHardExample" | "timings"
>;

/** A number that the status tells. Names and units are OpenTelemetry's; Prometheus' are made of them. */
export interface Reading {
  readonly type: "counter" | "gauge";
  readonly unit: string;
  readonly text: string;
  read(status: TelemetryStatus): readonly MetricSample[];
}

/** Something that is counted when an event tells it. */
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

/** What is read of the status, by name. */
export const agentReadings: Readonly<Record<string, Reading>> = {
  "sedna.edge.frames": ofJoint("{frame}", {
    text: "Frames answered.",
    read: (joint) => joint.inferenceNumber,
  }),
  "sedna.edge.hard_examples": ofJoint("{frame}", {
    text: "Frames answered that the miner called hard.",
    read: (joint) => joint.hardExampleNumber,
  }),
  "sedna.edge.offloads": ofJoint("{frame}", {
    text: "Frames that the cloud was asked about.",
    read: (joint) => joint.offloadedNumber,
  }),
  "sedna.edge.cloud_answers": ofJoint("{frame}", {
    text: "Frames that the cloud answered in time.",
    read: (joint) => joint.cloudNumber,
  }),
  "sedna.edge.fallbacks": ofJoint("{frame}", {
    text: "Frames for which the cloud was wanted and the edge's answer had to do.",
    read: (joint) => joint.fallbackNumber,
  }),
  "sedna.edge.failures": ofJoint("{frame}", {
    text: "Frames that nobody could answer.",
    read: (joint) => joint.failedNumber,
  }),
  "sedna.edge.drops": ofJoint("{frame}", {
    text: "Frames that a newer one replaced before their turn came.",
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
    text: "Items that wait to be sent.",
    read: ({ items }) => one(items),
  }),
  "sedna.edge.queue.size": ofQueue({
    type: "gauge",
    unit: "By",
    text: "Bytes that wait to be sent.",
    read: ({ bytes }) => one(bytes),
  }),
  "sedna.edge.queue.oldest_age": ofQueue({
    type: "gauge",
    unit: "s",
    text: "Age of the oldest item that waits.",
    read: ({ oldestAgeMs }) => one(oldestAgeMs / 1000),
  }),
  "sedna.edge.queue.durable": ofQueue({
    type: "gauge",
    unit: "1",
    text: "1 while what waits would survive the process, 0 while the storage refuses.",
    read: ({ durable }) => one(durable ? 1 : 0),
  }),
  "sedna.edge.queue.queued": ofQueue({
    type: "counter",
    unit: "{item}",
    text: "Items taken by the queue.",
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
    text: "Items lost, by reason.",
    read: ({ droppedNumber }) =>
      Object.entries(droppedNumber).map(([reason, value]) => ({ labels: { reason }, value })),
  }),
  "sedna.edge.model.info": {
    type: "gauge",
    unit: "1",
    text: "1 for the model that answers, by name, version and where it runs.",
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

/** What is counted of the events, by name. */
export const agentCountings: Readonly<Record<string, Counting>> = {
  "sedna.edge.model.restarts": {
    unit: "{restart}",
    text: "Times that the model had to be opened again, by reason.",
  },
  "sedna.edge.updates": { unit: "{update}", text: "Model updates by outcome." },
  "sedna.edge.reports": { unit: "{report}", text: "Reports to Sedna's local controller by outcome." },
  "sedna.edge.sending_failures": { unit: "{failure}", text: "Times that the queue could not send, by code." },
};

/** The distribution of durations, by step. */
export const agentLatency = {
  name: "sedna.edge.latency",
  unit: "s",
  text: "Duration of a frame's steps: the little model, the cloud, and in all.",
} as const;

const outcomes = {
  "update-swapped": "swapped",
  "update-confirmed": "confirmed",
  "update-rejected": "rejected",
  "update-rolled-back": "rolled-back",
} as const;

/** What an event adds one to. */
export function countingOf(told: {
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
    case "sending-failed":
      return { name: "sedna.edge.sending_failures", labels: { code: event.code } };
    default:
      return undefined;
  }
}

/** Tells the durations of an answer, each once although an `edge-first` frame is answered twice; see {@link createLatencies}. */
export interface Latencies {
  of(
    answer: TelemetryAnswer,
  ): readonly { readonly step: "edge" | "cloud" | "total"; readonly seconds: number }[];
}

/** How many first answers may wait for their second: as many frames as are ever under way, with room. */
const MAX_FOLLOWED = 1024;

/** Remembers which frames had their first answer already. */
export function createLatencies(): Latencies {
  const followed = new Set<number>();
  return {
    of({ index, final, timings }) {
      const isSecond = followed.delete(index);
      if (!final && followed.size < MAX_FOLLOWED) followed.add(index);
      const steps = isSecond ? (["cloud"] as const) : (["edge", "cloud", "total"] as const);
      // 0 says that a step did not run.
      return steps
        .filter((step) => timings[step] > 0)
        .map((step) => ({ step, seconds: timings[step] / 1000 }));
    },
  };
}
