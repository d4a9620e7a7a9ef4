import { WireError } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import * as z from "zod/mini";
import type { TelemetryStatus } from "../telemetry/status-metrics.ts";

/** The state of an agent that the status server reads. An `EdgeAgent`'s status is assignable to it. */
export interface AgentState extends TelemetryStatus {
  readonly name: string;
  readonly state: "idle" | "running" | "stopped";
  /** Time of the start, in Unix ms. `null` if the agent has not started. */
  readonly startedAt: number | null;
  readonly source: { readonly state: "closed" | "open" | "failed"; readonly error?: string };
  readonly lastError: {
    readonly at: number;
    readonly event: string;
    readonly error: { readonly message: string };
  } | null;
}

/** The body of `GET /status`. */
export interface DeviceStatus {
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly rssBytes: number;
  readonly healthy: boolean;
  /** Problems that need attention, as sentences. */
  readonly problems: readonly string[];
  readonly state: string;
  readonly source: { readonly state: string; readonly error?: string };
  readonly model: { readonly name: string; readonly version: number; readonly backend: string } | null;
  readonly frames: {
    readonly answered: number;
    readonly hard: number;
    readonly cloud: number;
    readonly fallback: number;
    readonly failed: number;
    readonly dropped: number;
  };
  readonly bytes: { readonly up: number; readonly down: number };
  readonly queue: {
    readonly items: number;
    readonly bytes: number;
    readonly oldestAgeMs: number;
    readonly lost: number;
    readonly durable: boolean;
  } | null;
  readonly lastError: { readonly at: number; readonly event: string; readonly message: string } | null;
}

/** Options of {@link deviceStatus}. */
interface DeviceStatusOptions {
  readonly version: string;
  readonly pid: number;
  readonly rssBytes: number;
  readonly now: number;
}

/**
 * Converts an agent's state to the body of `GET /status`. An agent is healthy if it runs, its source has not
 * failed, and it runs a model on this device. A queue in memory only is listed as a problem, but does not
 * make the agent unhealthy.
 */
export function deviceStatus(
  agent: AgentState,
  { version, pid, rssBytes, now }: DeviceStatusOptions,
): DeviceStatus {
  const { name, state, source, model, joint, queue, lastError, startedAt } = agent;
  const ills = [
    ...(state === "running" ? [] : [`the agent is ${state}`]),
    ...(source.state === "failed" ? [`the source failed: ${source.error ?? "for an unknown reason"}`] : []),
    ...(model === null
      ? ["there is no model on this device yet"]
      : model.backend === "cloud"
        ? ["the model does not run on this device; only the cloud serves frames"]
        : []),
  ];
  const lost = queue ? Object.values(queue.droppedNumber).reduce((sum, one) => sum + one, 0) : 0;
  return {
    name,
    version,
    pid,
    uptimeSeconds: startedAt === null ? 0 : Math.max(0, Math.round((now - startedAt) / 1000)),
    rssBytes,
    healthy: ills.length === 0,
    problems:
      queue?.durable === false ? [...ills, "the queue is in memory only: the storage is not writable"] : ills,
    state,
    source,
    model,
    frames: {
      answered: joint.inferenceNumber,
      hard: joint.hardExampleNumber,
      cloud: joint.cloudNumber,
      fallback: joint.fallbackNumber,
      failed: joint.failedNumber,
      dropped: joint.droppedNumber,
    },
    bytes: { up: joint.bytesUp, down: joint.bytesDown },
    queue: queue && {
      items: queue.items,
      bytes: queue.bytes,
      oldestAgeMs: queue.oldestAgeMs,
      lost,
      durable: queue.durable,
    },
    lastError: lastError && { at: lastError.at, event: lastError.event, message: lastError.error.message },
  };
}

const schema = z.object({
  name: z.string(),
  version: z.string(),
  pid: z.number(),
  uptimeSeconds: z.number(),
  rssBytes: z.number(),
  healthy: z.boolean(),
  problems: z.array(z.string()),
  state: z.string(),
  source: z.object({ state: z.string(), error: z.optional(z.string()) }),
  model: z.nullable(z.object({ name: z.string(), version: z.number(), backend: z.string() })),
  frames: z.object({
    answered: z.number(),
    hard: z.number(),
    cloud: z.number(),
    fallback: z.number(),
    failed: z.number(),
    dropped: z.number(),
  }),
  bytes: z.object({ up: z.number(), down: z.number() }),
  queue: z.nullable(
    z.object({
      items: z.number(),
      bytes: z.number(),
      oldestAgeMs: z.number(),
      lost: z.number(),
      durable: z.boolean(),
    }),
  ),
  lastError: z.nullable(z.object({ at: z.number(), event: z.string(), message: z.string() })),
});

/**
 * Parses the body of `GET /status`. See {@link deviceStatus}.
 *
 * @throws {WireError} If another server responds on that port.
 */
export function parseDeviceStatus(body: unknown): DeviceStatus {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data as DeviceStatus;
  throw new WireError(
    `read the status: expected sedna-edge's status; got ${describeValue(body)}${typeof body === "object" ? ` without ${parsed.error.issues[0]?.path.join(".") || "its fields"} as it should be` : ""}`,
  );
}
