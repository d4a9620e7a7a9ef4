import type { PlainError } from "@sedna-js/core";
import type { QueueEvent } from "../queue/durable-queue.ts";
import type { SenderEvent } from "../queue/sender.ts";
import type { SourceEvent } from "../sources/source-events.ts";
import type { SupervisorEvent } from "../supervisor/supervised-model.ts";
import type { ReportEvent } from "../telemetry/report-events.ts";
import type { UpdateEvent } from "../updates/update-events.ts";

/** Lifecycle events of the agent itself. */
export type LifecycleEvent =
  | { readonly type: "agent-started"; readonly name: string }
  /** Another tab of this browser performs the uploads and the updates of this job. */
  | { readonly type: "agent-follows"; readonly name: string }
  | { readonly type: "agent-leads"; readonly name: string }
  /** There is no model to run yet. The next attempt follows after `retryInMs`. */
  | { readonly type: "model-missing"; readonly error: PlainError; readonly retryInMs: number }
  /** Stored files of a model are missing or were changed. They are fetched again. */
  | { readonly type: "model-damaged"; readonly error: PlainError }
  /** The browser has no space for the model. It runs from memory, and is fetched again next time. */
  | { readonly type: "model-not-kept"; readonly error: PlainError }
  /** The queue could not be opened. Hard examples are lost until it is open. */
  | { readonly type: "queue-missing"; readonly error: PlainError; readonly retryInMs: number }
  /** The browser may clear models and queue when its disk is short. */
  | { readonly type: "storage-not-promised" }
  /** This browser does not support leader election. Each tab acts as if it were the only one. */
  | { readonly type: "leader-unknown"; readonly error: PlainError }
  /**
   * A hard example was not stored: too many were being encoded or stored at once, or waited for the queue to
   * open; another tab is the leader; or storing failed.
   */
  | {
      readonly type: "sample-lost";
      readonly reason: "busy" | "no-queue" | "follows" | "failed";
      readonly error?: PlainError;
    }
  | { readonly type: "agent-stopped"; readonly name: string };

/** All events of an agent, as plain data. */
export type AgentEvent =
  | LifecycleEvent
  | SupervisorEvent
  | UpdateEvent
  | QueueEvent
  | SenderEvent
  | SourceEvent
  | ReportEvent;
