import type { Emitter } from "@sedna-js/core/async";
import type { Frame, JointResult, JointStatus } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { becomeLeader } from "#platform/leadership";
import { keepStorage } from "#platform/storage";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { QueueStatistics } from "../queue/durable-queue.ts";
import { resolveReporting, createSednaReporter, type SednaReporter } from "../telemetry/sedna-reporter.ts";
import type { AgentEvent } from "./agent-events.ts";
import { createSampleUploader } from "./create-sample-uploader.ts";
import type { EdgeAgentOptions } from "./edge-agent.ts";
import type { AgentModel } from "./open-model.ts";

/** Options of the leader tasks. */
export interface LeaderElectionOptions<Result> {
  readonly options: EdgeAgentOptions<Result>;
  readonly directory: string;
  readonly privacy: PrivacyPolicy<Frame, Result>;
  readonly joint: () => JointStatus;
  readonly model: AgentModel;
  readonly events: Emitter<AgentEvent>;
}

/**
 * The tasks that only one agent of a job performs on a device, even if several tabs are open: uploads,
 * reports, updates.
 */
export interface LeaderElection<Result> {
  readonly leads: boolean;
  start(): void;
  /** Collects a result if it is worth keeping. */
  answered(answer: JointResult<Result, Frame>): void;
  queue(): QueueStatistics | null;
  flush(options: { readonly signal?: AbortSignal }): Promise<void>;
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** Time after which an agent that has not become leader reports that it follows, in ms. */
const FOLLOWS_MS = 1000;

/** Waits to become leader of the job, then performs the leader tasks until it is stopped. */
export function electLeader<Result>({
  options,
  directory,
  privacy,
  joint,
  model,
  events,
}: LeaderElectionOptions<Result>): LeaderElection<Result> {
  const { name, samples, persist, fetch } = options;
  const report = options.report && { worker: name, ownerName: name, ...options.report };
  // Validate now, while errors reach the caller: the reporter is created when this agent becomes leader.
  if (report) resolveReporting(report);
  const life = new AbortController();
  const sending =
    samples &&
    createSampleUploader<Result>({
      name,
      directory,
      samples,
      privacy,
      fetch,
      model: () => model.manifest,
      emit: events.emit,
    });
  let leads = false;
  let beginning: Promise<void> | undefined;
  let reporter: SednaReporter | undefined;

  const begin = async (): Promise<void> => {
    const waiting = setTimeout(() => {
      sending?.leave();
      events.emit({ type: "agent-follows", name });
    }, FOLLOWS_MS);
    try {
      await becomeLeader({ name: `sedna-agent-${name}`, signal: life.signal });
    } catch (error) {
      if (life.signal.aborted) return;
      // Leader election is unavailable: each tab acts as if it were the only one.
      events.emit({ type: "leader-unknown", error: toPlainError(error) });
    } finally {
      clearTimeout(waiting);
    }
    // Stopped at the moment it became leader.
    if (life.signal.aborted) return;
    leads = true;
    events.emit({ type: "agent-leads", name });
    model.startUpdates();
    if (report) reporter = startReports(report);
    sending?.start();
    // Last, and not awaited: the browser may prompt the user.
    if (persist)
      void keepStorage().then(
        (kept) => kept || life.signal.aborted || events.emit({ type: "storage-not-promised" }),
      );
  };

  const startReports = (settings: Parameters<typeof resolveReporting>[0]): SednaReporter => {
    const made = createSednaReporter({ ...settings, stats: joint, fetch, onEvent: events.emit });
    const off = events.on(({ type }) => {
      if (type === "update-confirmed") made.deployed({ status: "completed" });
      if (type === "update-rejected" || type === "update-rolled-back") made.deployed({ status: "failed" });
    });
    life.signal.addEventListener("abort", off, { once: true });
    return made;
  };

  return {
    get leads() {
      return leads;
    },
    start() {
      beginning ??= begin();
    },
    answered(answer) {
      // If a sample has two results, only the final one is collected: both refer to the same frame.
      if (answer.final && (answer.isHardExample || answer.source === "fallback")) sending?.collect(answer);
    },
    queue: () => sending?.stats() ?? null,
    flush: async (flushOptions) => sending?.flush(flushOptions),
    async stop({ graceMs }) {
      // A leader keeps its lock until everything is closed: the next leader opens the same queue.
      if (!leads) life.abort();
      await beginning;
      try {
        await Promise.all([sending?.stop({ graceMs }), reporter?.stop({ deadlineMs: graceMs })]);
      } finally {
        leads = false;
        life.abort();
      }
    },
  };
}
