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
  /** Takes each event as a line of JSON. */
  readonly write: (line: string) => void;
  readonly exit: (code: number) => void;
}

/** How long the end may take after SIGTERM. systemd waits for 90 s, Docker for 10. */
const STOP_MS = 7000;

/**
 * Takes part in a federation as a process of a device, until it is done or told to stop: events as lines of
 * JSON, the final model in a file. An aggregator that cannot be reached at the start is waited for.
 * @throws what no waiting heals, when all is closed.
 */
export async function runTraining({ job, logger, write, exit }: RunTrainingOptions): Promise<void> {
  const stop = new AbortController();
  let finished = (): void => {};
  const ended = new Promise<void>((resolve) => (finished = resolve));
  const offShutdown = onShutdown({
    exit,
    deadlineMs: STOP_MS,
    stop: (signal) => {
      logger.info({ signal }, "stopping; once more ends at once");
      stop.abort(new SednaError("train: it was told to stop", { code: "disposed" }));
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
    // Told to stop, the process ends by that; until then a second signal must find someone.
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
        "the aggregator cannot be asked yet",
      );
      await sleep(retryInMs, undefined, { signal });
    }
  }
}

/** Time between two lines of progress: an epoch may take a millisecond, and a journal is a device's disk. */
const PROGRESS_MS = 1000;

/** An event without what is long: a plan is known, and ten thousand layers are no line. */
function lineOf(event: FederatedEvent): object {
  if (event.type !== "joined") return event;
  const { plan, ...rest } = event;
  const { name, aggregation, encoding, participants, numRounds } = plan;
  return { ...rest, federation: name, aggregation, encoding, participants, numRounds };
}

/** Written beside and put in its place: a reader never finds half a model. */
async function saveModel(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.draft`, bytes);
  await rename(`${path}.draft`, path);
}
