import { WireError, type Frame, type JointResult } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { readSampleUpload, type ModelManifest } from "@sedna-js/core/wire";
import { openQueueStore } from "#platform/queue";
import { mayLeave } from "../privacy/may-leave.ts";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { DurableQueue, QueueStatistics } from "../queue/durable-queue.ts";
import { baseUrl } from "../http/base-url.ts";
import { sampleRoute, type Route } from "../queue/deliver.ts";
import { checkQueueLimits, openQueue } from "../queue/open-queue.ts";
import { checkRate } from "../queue/sender-waits.ts";
import { createSender, type Sender } from "../queue/create-sender.ts";
import type { AgentEvent } from "./agent-events.ts";
import { collectSamples } from "./collect-samples.ts";
import type { SampleSettings } from "./edge-agent.ts";

/** Options of {@link createSampleUploader}. */
export interface SampleUploaderOptions<Result> {
  readonly name: string;
  /** Node: where the queue's files are kept. */
  readonly directory: string;
  readonly samples: SampleSettings;
  readonly privacy: PrivacyPolicy<Frame, Result>;
  readonly fetch?: typeof globalThis.fetch;
  readonly model: () => Pick<ModelManifest, "name" | "version">;
  readonly emit: (event: AgentEvent) => void;
}

/** The way of hard examples from here to the cloud. */
export interface SampleUploader<Result> {
  /** Opens the queue, and tries again where that fails. */
  start(): void;
  /** Somebody else sends for this job: nothing is collected until `start`. */
  leave(): void;
  collect(answer: JointResult<Result, Frame>): void;
  stats(): QueueStatistics | null;
  flush(options: { readonly signal?: AbortSignal }): Promise<void>;
  /** What is under way is stored, what waits stays stored. */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** A queue that could not be opened is tried again after so many ms. */
const REOPEN_MS = 30_000;
/** Items that wait in memory for the queue to be open. */
const MAX_EARLY = 50;

/**
 * Keeps hard examples, first in memory until the queue is open, and sends them when that can be done.
 * @throws {TypeError} on a URL that is none, {RangeError} on bounds and rates that are none.
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
  // Now, while somebody listens to what is wrong: the queue is opened later, and again and again.
  const toCloud = sampleRoute(baseUrl(url));
  checkRate(maxPerSecond);
  checkQueueLimits(limits);
  const route: Route = (entry, body) => {
    const delivery = toCloud(entry, body);
    // What waits may have been kept under an earlier policy, which let more out than today's.
    const { kind } = readSampleUpload(delivery.body).head;
    if (!mayLeave(kind, privacy.level))
      throw new WireError(
        `send a queued sample: expected one that the privacy policy ${privacy.level} lets out; got ${kind}`,
      );
    return delivery;
  };
  type Item = Parameters<DurableQueue["enqueue"]>[0];
  const early: Item[] = [];
  let open: { readonly queue: DurableQueue; readonly sender: Sender } | undefined;
  let opening: Promise<void> | undefined;
  let retry: unknown;
  let collects = true;
  let stopping = false;

  const enqueue = async (item: Item): Promise<void> => {
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
        // What was collected before the queue is open waits for that.
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
