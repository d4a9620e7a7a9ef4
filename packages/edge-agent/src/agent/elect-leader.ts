import type { Frame, JointResult, JointStatistics } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { becomeLeader } from "#platform/leadership";
import { keepStorage } from "#platform/storage";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { QueueStatistics } from "../queue/durable-queue.ts";
import { checkReporting, createSednaReporter, type SednaReporter } from "../telemetry/sedna-reporter.ts";
import type { AgentEvent, Emitter } from "./agent-events.ts";
import { createSampleUploader } from "./create-sample-uploader.ts";
import type { EdgeAgentOptions } from "./edge-agent.ts";
import type { AgentModel } from "./open-model.ts";

/** Options of {@link lead}. */
export interface LeaderElectionOptions<Result> {
  readonly options: EdgeAgentOptions<Result>;
  readonly directory: string;
  readonly privacy: PrivacyPolicy<Frame, Result>;
  readonly stats: () => JointStatistics;
  readonly model: AgentModel;
  readonly events: Emitter<AgentEvent>;
}

/**
 * What only one agent of a job does on a device, however many tabs are open: sending, reporting, updating.
 */
export interface LeaderElection<Result> {
  readonly leads: boolean;
  start(): void;
  /** Keeps what is worth keeping of an answer. */
  answered(answer: JointResult<Result, Frame>): void;
  queue(): QueueStatistics | null;
  flush(options: { readonly signal?: AbortSignal }): Promise<void>;
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** Who does not lead after so many ms, follows. */
const FOLLOWS_MS = 1000;

/** Waits to lead the job, then leads it until it is stopped. */
export function electLeader<Result>({
  options,
  directory,
  privacy,
  stats,
  model,
  events,
}: LeaderElectionOptions<Result>): LeaderElection<Result> {
  const { name, samples, persist, fetch } = options;
  const report = options.report && { worker: name, ownerName: name, ...options.report };
  // Now, while somebody listens to what is wrong: it is made when the job is led.
  if (report) checkReporting(report);
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
      // Without a way to agree with other tabs, each acts as the only one.
      events.emit({ type: "leader-unknown", error: toPlainError(error) });
    } finally {
      clearTimeout(waiting);
    }
    // Stopped in the very moment in which it came to lead.
    if (life.signal.aborted) return;
    leads = true;
    events.emit({ type: "agent-leads", name });
    model.startUpdates();
    if (report) reporter = startReports(report);
    sending?.start();
    // Last, and waited for by nobody: the visitor may be asked.
    if (persist)
      void keepStorage().then(
        (kept) => kept || life.signal.aborted || events.emit({ type: "storage-not-promised" }),
      );
  };

  const startReports = (settings: Parameters<typeof checkReporting>[0]): SednaReporter => {
    const made = createSednaReporter({ ...settings, stats, fetch, onEvent: events.emit });
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
      // Of an answer in two parts the second counts: the first is the same frame.
      if (answer.final && (answer.isHardExample || answer.source === "fallback")) sending?.collect(answer);
    },
    queue: () => sending?.stats() ?? null,
    flush: async (flushOptions) => sending?.flush(flushOptions),
    async stop({ graceMs }) {
      // Who leads goes on to until all is closed: the next leader opens the same queue.
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
