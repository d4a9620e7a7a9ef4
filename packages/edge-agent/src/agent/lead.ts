import { toPlainError, type Frame, type JointResult, type JointStatistics } from "@sedna-js/core";
import { becomeLeader } from "#platform";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { QueueStatistics } from "../queue/durable-queue.ts";
import { createSednaReporter, type SednaReporter } from "../telemetry/sedna-reporter.ts";
import type { AgentEvent, Emitter } from "./agent-events.ts";
import type { EdgeAgentOptions } from "./edge-agent.ts";
import type { AgentModel } from "./open-model.ts";
import { openSending, type Sending } from "./open-sending.ts";

/** Options of {@link lead}. */
export interface LeadOptions<Result> {
  readonly options: EdgeAgentOptions<Result>;
  readonly directory: string;
  readonly privacy: PrivacyPolicy<Frame, Result>;
  readonly stats: () => JointStatistics;
  readonly model: AgentModel;
  readonly events: Emitter<AgentEvent>;
}

/** What only one agent of a job does on a device, however many tabs are open: sending, reporting, updating. */
export interface Leading<Result> {
  readonly leads: boolean;
  start(): void;
  /** Keeps what is worth keeping of an answer. */
  answered(answer: JointResult<Result, Frame>): void;
  queue(): QueueStatistics | null;
  flush(options: { readonly signal?: AbortSignal }): Promise<void>;
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** A queue that could not be opened is tried again after so many ms. */
const REOPEN_MS = 30_000;

/** Waits to lead the job, then leads it until it is stopped. A part that cannot be opened is tried again, and never ends the others. */
export function lead<Result>({ options, directory, privacy, stats, model, events }: LeadOptions<Result>): Leading<Result> {
  const { name, samples, report, fetch } = options;
  const life = new AbortController();
  let leads = false;
  let opening: Promise<void> | undefined;
  let sending: Sending<Result> | undefined;
  let reporter: SednaReporter | undefined;
  let retry: unknown;

  const openQueue = async (settings: NonNullable<typeof samples>): Promise<void> => {
    try {
      sending = await openSending({ name, directory, samples: settings, privacy, ...(fetch && { fetch }), model: () => model.manifest, emit: events.emit });
    } catch (error) {
      if (life.signal.aborted) return;
      events.emit({ type: "queue-missing", error: toPlainError(error), retryInMs: REOPEN_MS });
      retry = setTimeout(() => void (opening = openQueue(settings)), REOPEN_MS);
    }
  };

  const begin = async (): Promise<void> => {
    const waiting = setTimeout(() => events.emit({ type: "agent-follows", name }), 1000);
    try {
      await becomeLeader({ name: `sedna-agent-${name}`, signal: life.signal });
    } finally {
      clearTimeout(waiting);
    }
    if (life.signal.aborted) return;
    leads = true;
    events.emit({ type: "agent-leads", name });
    model.startUpdates();
    if (report) {
      const { url, worker = name, ownerName = name, ...rest } = report;
      reporter = createSednaReporter({ url, worker, ownerName, ...rest, stats, ...(fetch && { fetch }), onEvent: events.emit });
      const deployed = reporter;
      const off = events.on(({ type }) => {
        if (type === "update-confirmed") deployed.deployed({ status: "completed" });
        if (type === "update-rejected" || type === "update-rolled-back") deployed.deployed({ status: "failed" });
      });
      life.signal.addEventListener("abort", off, { once: true });
    }
    if (samples) await openQueue(samples);
  };

  return {
    get leads() {
      return leads;
    },
    start() {
      opening ??= begin().catch((error: unknown) => {
        if (!life.signal.aborted) events.emit({ type: "queue-missing", error: toPlainError(error), retryInMs: REOPEN_MS });
      });
    },
    answered(answer) {
      // Of an answer in two parts the second counts: the first is the same sample.
      if (answer.final && (answer.isHardExample || answer.source === "fallback")) sending?.collect(answer);
    },
    queue: () => sending?.stats() ?? null,
    flush: async (flushOptions) => sending?.flush(flushOptions),
    async stop({ graceMs }) {
      clearTimeout(retry);
      life.abort();
      await opening;
      await Promise.all([sending?.stop({ graceMs }), reporter?.stop({ deadlineMs: graceMs })]);
      leads = false;
    },
  };
}
