import type { JointStatistics } from "@sedna-js/core";
import type { QueueStatistics } from "../queue/durable-queue.ts";
import type { TelemetryAgent, TelemetryResult, TelemetryEvent, TelemetryStatus } from "./status-metrics.ts";

/** Statistics with a distinct value in every field. */
export const joint: JointStatistics = {
  inferenceNumber: 10,
  hardExampleNumber: 4,
  uploadCloudRatio: 0.4,
  offloadedNumber: 3,
  cloudNumber: 2,
  fallbackNumber: 1,
  failedNumber: 5,
  droppedNumber: 6,
  bytesUp: 700,
  bytesDown: 80,
};
/** Statistics of a queue that dropped items. */
export const queue: QueueStatistics = {
  items: 7,
  bytes: 900,
  oldestAgeMs: 1500,
  queuedNumber: 12,
  sentNumber: 3,
  droppedNumber: { full: 1, expired: 2, "storage-full": 0, rejected: 0, lost: 4 },
  durable: true,
};

/** A fake agent for telemetry that a test controls. */
export function fakeAgent(): TelemetryAgent & {
  now: TelemetryStatus;
  emit(event: TelemetryEvent): void;
  readonly listeners: Set<(event: { readonly type: string }) => void>;
} {
  const listeners = new Set<(event: { readonly type: string }) => void>();
  return {
    listeners,
    now: { joint, queue, model: { name: "people", version: 3, backend: "webgpu" } },
    status() {
      return this.now;
    },
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    on(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** An edge result after 40 ms, with the given changes. */
export const answer = (change: Partial<TelemetryResult> = {}): TelemetryResult => ({
  index: 0,
  final: true,
  source: "edge",
  reason: "easy",
  isHardExample: false,
  timings: { edge: 40, mining: 0, cloud: 0, total: 42 },
  ...change,
});

/** One event of each counted kind, and some that are not counted. */
export const events: readonly TelemetryEvent[] = [
  { type: "model-opened", model: "people", version: 3, backend: "webgpu", ms: 5 },
  {
    type: "model-failed",
    model: "people",
    version: 3,
    reason: "device-lost",
    from: "webgpu",
    to: "webgpu",
    error: { name: "Error", message: "" },
  },
  {
    type: "model-failed",
    model: "people",
    version: 3,
    reason: "device-lost",
    from: "webgpu",
    to: "wasm",
    error: { name: "Error", message: "" },
  },
  { type: "update-swapped", model: "people", from: 3, version: 4 },
  {
    type: "update-rolled-back",
    model: "people",
    from: 4,
    to: 3,
    rejection: "slower",
    error: { name: "Error", message: "" },
  },
  { type: "report-sent", kind: "inference" },
  { type: "report-failed", kind: "inference", error: { name: "Error", message: "" } },
  { type: "upload-failed", code: "cloud-unreachable", message: "", retryInMs: 1 },
];
