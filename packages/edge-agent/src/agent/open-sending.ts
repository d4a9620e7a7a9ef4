import type { Frame, JointResult, ModelManifest } from "@sedna-js/core";
import { openQueueStore } from "#platform";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { QueueStatistics } from "../queue/durable-queue.ts";
import { openQueue } from "../queue/open-queue.ts";
import { createSender } from "../queue/sender.ts";
import type { AgentEvent } from "./agent-events.ts";
import { collectSamples } from "./collect-samples.ts";
import type { SampleSettings } from "./edge-agent.ts";

/** Options of {@link openSending}. */
export interface SendingOptions<Result> {
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
export interface Sending<Result> {
  collect(answer: JointResult<Result, Frame>): void;
  stats(): QueueStatistics;
  flush(options: { readonly signal?: AbortSignal }): Promise<void>;
  /** What is under way is stored, what waits stays stored. */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/** Opens the queue, and what fills and empties it. */
export async function openSending<Result>({ name, directory, samples, privacy, fetch, model, emit }: SendingOptions<Result>): Promise<Sending<Result>> {
  const { url, token, maxPerSecond = 5, ...limits } = samples;
  const store = openQueueStore({ name: `sedna-queue-${name}`, directory: `${directory}/queue` });
  const queue = await openQueue({ store, deviceId: name, ...limits, onEvent: emit });
  const sender = createSender({ queue, url, maxPerSecond, ...(token === undefined ? {} : { token }), ...(fetch && { fetch }), onEvent: emit });
  const collector = collectSamples({ queue, device: name, privacy, model, onQueued: () => sender.wake(), onEvent: emit });
  sender.wake();

  return {
    collect: (answer) => collector.collect(answer),
    stats: () => queue.stats(),
    async flush(options) {
      await collector.idle();
      await sender.flush(options);
    },
    async stop(options) {
      await collector.idle();
      await sender.stop(options);
      await queue.close();
    },
  };
}
