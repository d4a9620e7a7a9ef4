import { WireError, type Frame, type JointResult } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import type { ModelManifest } from "@sedna-js/core/wire";
import { openQueueStore } from "#platform/queue";
import { mayLeave } from "../privacy/may-leave.ts";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { DurableQueue, NewItem, QueueStatistics } from "../queue/durable-queue.ts";
import { baseUrl } from "../http/base-url.ts";
import { sampleRoute, type Route } from "../queue/deliver.ts";
import { checkQueueLimits, openQueue } from "../queue/open-queue.ts";
import { checkRate } from "../queue/sender-waits.ts";
import { createSender } from "../queue/create-sender.ts";
import { type Sender } from "../queue/sender.ts";
import type { AgentEvent } from "./agent-events.ts";
import { collectSamples } from "./collect-samples.ts";
import type { SampleSettings } from "./edge-agent.ts";

/** Options of {@link createSampleUploader}. */
export interface SampleUploaderOptions<Result> {
  readonly name: string;
  /** Node: directory of the queue's files. */
  readonly directory: string;
  readonly samples: SampleSettings;
  readonly privacy: PrivacyPolicy<Frame, Result>;
  readonly fetch?: typeof globalThis.fetch;
  readonly model: () => Pick<ModelManifest, "name" | "version">;
  readonly emit: (event: AgentEvent) => void;
}

/** Uploads hard examples to the cloud through a durable queue. */
export interface SampleUploader<Result> {
  /** Opens the queue, and retries if that fails. */
  start(): void;
  /** Stops collecting until `start`, because another agent uploads for this job. */
  leave(): void;
  collect(answer: JointResult<Result, Frame>): void;
  stats(): QueueStatistics | null;
  flush(options: { readonly signal?: AbortSignal }): Promise<void>;
  /** Stores the samples being processed, then closes the queue. Queued items stay stored. */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** Delay before a queue that could not be opened is retried, in ms. */
const REOPEN_MS = 30_000;
/** Maximum number of items buffered in memory until the queue is open. */
const MAX_EARLY = 50;

/**
 * Creates an uploader for hard examples. Buffers them in memory until the queue is open, and sends them when
 * the network allows.
 * @throws {TypeError} If `samples.url` is not a valid URL.
 * @throws {RangeError} If a queue limit or `maxPerSecond` is out of range.
 */
export function createSampleUploader<Result>({
  name,
  directory,
  samples,
  privacy,
  fetch,
  model,
  emit,
}: SampleUploaderOptions<Result>): SampleUploader<Result> {
  const { url, token, maxPerSecond = 5, ...limits } = samples;
  // Validate now, while errors reach the caller: the queue is opened later, and again after failures.
  const toCloud = sampleRoute(baseUrl(url));
  checkRate(maxPerSecond);
  checkQueueLimits(limits);
  const route: Route = (entry, body) => {
    // Queued items may have been stored under an earlier policy that permitted more than the current one.
    const { privacyKind = "full" } = entry;
    if (!mayLeave(privacyKind, privacy.level))
      throw new WireError(
        `send a queued sample: expected a kind that the privacy policy ${privacy.level} permits; got ${privacyKind}`,
      );
    return toCloud(entry, body);
  };
  const early: NewItem[] = [];
  let open: { readonly queue: DurableQueue; readonly sender: Sender } | undefined;
  let opening: Promise<void> | undefined;
  let retry: unknown;
  let collects = true;
  let stopping = false;

  const enqueue = async (item: NewItem): Promise<void> => {
    if (open) {
      await open.queue.enqueue(item);
      return open.sender.wake();
    }
    early.push(item);
    if (early.length <= MAX_EARLY) return;
    early.shift();
    emit({ type: "sample-lost", reason: "no-queue" });
  };
  const loseEarly = (): void => {
    for (const _ of early.splice(0)) emit({ type: "sample-lost", reason: "no-queue" });
  };
  const collector = collectSamples<Result>({ enqueue, device: name, privacy, model, onEvent: emit });

  const tryOpen = async (): Promise<void> => {
    try {
      const store = openQueueStore({ name: `sedna-queue-${name}`, directory: `${directory}/queue` });
      const queue = await openQueue({ store, deviceId: name, ...limits, onEvent: emit });
      const sender = createSender({
        queue,
        url,
        route,
        maxPerSecond,
        ...(token === undefined ? {} : { token }),
        fetch,
        onEvent: emit,
      });
      open = { queue, sender };
      for (const item of early.splice(0)) await queue.enqueue(item);
      sender.wake();
    } catch (error) {
      emit({ type: "queue-missing", error: toPlainError(error), retryInMs: REOPEN_MS });
      if (!stopping) retry = setTimeout(start, REOPEN_MS);
    }
  };
  const start = (): void => {
    collects = true;
    opening = tryOpen();
  };

  return {
    start,
    leave() {
      collects = false;
      loseEarly();
    },
    collect(answer) {
      if (collects) collector.collect(answer);
      else if (!stopping) emit({ type: "sample-lost", reason: "follows" });
    },
    stats: () => open?.queue.stats() ?? null,
    async flush({ signal }) {
      signal?.throwIfAborted();
      let leave: () => void = () => {};
      const left = new Promise<never>((_, reject) => (leave = () => reject(signal?.reason)));
      signal?.addEventListener("abort", leave, { once: true });
      try {
        // Wait for samples collected before the queue was open.
        await Promise.race([collector.idle().then(() => opening), left]);
      } finally {
        signal?.removeEventListener("abort", leave);
      }
      await open?.sender.flush(signal ? { signal } : {});
    },
    async stop({ graceMs }) {
      stopping = true;
      clearTimeout(retry);
      await collector.idle();
      collects = false;
      await opening;
      loseEarly();
      await open?.sender.stop({ graceMs });
      await open?.queue.close();
    },
  };
}
