import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SednaError, type FederatedEvent } from "@sedna-js/core";
import { backoff } from "@sedna-js/core/async";
import type { TrainJob } from "../job/train-job.ts";
import type { EventLogger } from "./event-log.ts";
import { openTraining, type OpenTraining } from "./open-training.node.ts";
import { onShutdown } from "./shutdown.node.ts";

/** Options of {@link runTraining}. */
export interface RunTrainingOptions {
  readonly job: TrainJob & { readonly state: string };
  readonly logger: EventLogger;
  /** Writes each event as a line of JSON. */
  readonly write: (line: string) => void;
  readonly exit: (code: number) => void;
}

/** Time limit for the shutdown after SIGTERM, in ms. systemd waits for 90 s, Docker for 10 s. */
const STOP_MS = 7000;

/**
 * Participates in a federation as a device's process until the federation is done or a signal stops the
 * process. Writes events as lines of JSON and the final model to a file. Retries while the aggregator is
 * unreachable at the start.
 *
 * @throws The error that no retry can resolve, after everything is closed.
 */
export async function runTraining({ job, logger, write, exit }: RunTrainingOptions): Promise<void> {
  const stop = new AbortController();
  let finished = (): void => {};
  const ended = new Promise<void>((resolve) => (finished = resolve));
  const offShutdown = onShutdown({
    exit,
    deadlineMs: STOP_MS,
    stop: (signal) => {
      logger.info({ signal }, "stopping; a second signal exits at once");
      stop.abort(new SednaError("train: stopped by a signal", { code: "disposed" }));
      return ended;
    },
  });
  try {
    const training = await openWithPatience(job, { logger, signal: stop.signal });
    try {
      logger.info({ job: job.name, device: training.device, samples: training.samples.count }, "started");
      let toldAt = -Infinity;
      for await (const event of training.learning.run(training.samples, { signal: stop.signal })) {
        const isProgress = event.type === "training" && event.progress !== undefined;
        if (isProgress && performance.now() - toldAt < PROGRESS_MS) continue;
        if (isProgress) toldAt = performance.now();
        write(JSON.stringify(lineOf(event)));
        if (event.type === "done" && job.save !== undefined)
          await saveModel(job.save, await training.estimator.save());
      }
    } finally {
      await training.close();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    finished();
    // After a stop request, keep the signal handler until the process exits, so that a second signal exits at
    // once.
    if (!stop.signal.aborted) offShutdown();
  }
}

async function openWithPatience(
  job: RunTrainingOptions["job"],
  { logger, signal }: { readonly logger: EventLogger; readonly signal: AbortSignal },
): Promise<OpenTraining> {
  for (let tried = 0; ; tried++) {
    try {
      return await openTraining(job, { state: job.state, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SednaError && error.retryable)) throw error;
      const retryInMs = backoff({
        tried,
        baseMs: 1000,
        capMs: 60_000,
        random: Math.random,
        retryAfterMs: error.retryAfterMs,
      });
      logger.warn(
        { code: error.code, error: error.message, retryInMs },
        "the aggregator is not reachable yet",
      );
      await sleep(retryInMs, undefined, { signal });
    }
  }
}

/**
 * Minimum interval between two progress lines, in ms. An epoch may take one millisecond, and a journal is on
 * the device's disk.
 */
const PROGRESS_MS = 1000;

/**
 * Returns the event to log. Reduces the plan of a `joined` event to its short fields: a plan may hold
 * thousands of layers.
 */
function lineOf(event: FederatedEvent): object {
  if (event.type !== "joined") return event;
  const { plan, ...rest } = event;
  const { name, aggregation, encoding, participants, numRounds } = plan;
  return { ...rest, federation: name, aggregation, encoding, participants, numRounds };
}

/** Writes a draft beside the file and renames it, so that a reader never sees a partial model. */
async function saveModel(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.draft`, bytes);
  await rename(`${path}.draft`, path);
}
