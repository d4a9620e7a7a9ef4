import type { Estimator, LabeledSamples, TrainingPauses, TrainingProgress } from "@sedna-js/core";
import { abortable } from "@sedna-js/core/async";
import { fromPlainError } from "@sedna-js/core/errors";
import { wrap, type Endpoint, type Remote } from "comlink";
import { receiveFrame } from "#platform/frames";
import type { PostedLabeledSample, PostedSamples, RemoteLearner, Reply, SampleOwner } from "./protocol.ts";
import { reply } from "./reply.ts";
import type { RunningCalls } from "./running-calls.ts";

/** Samples per message. */
const GROUP = 32;
/**
 * Maximum number of unacknowledged progress messages. While the owner is slower, only the latest progress is
 * kept.
 */
const MAX_UNACKNOWLEDGED = 64;

/**
 * Inside a Worker: handles its owner's training calls. A call to a method that the estimator does not have
 * throws.
 */
export function handleTraining(estimator: Estimator<unknown, unknown>, calls: RunningCalls): RemoteLearner {
  const pausesOf = new Map<number, ReturnType<typeof ownersPauses>>();
  return {
    train: (id, { samples, plan, paused }) =>
      reply(() =>
        calls.run(id, async ({ signal }) => {
          const train = able(estimator, "train");
          const owner = ownerAt(samples);
          const pauses = ownersPauses(paused);
          const progress = progressTo(owner);
          pausesOf.set(id, pauses);
          try {
            const report = await train(readFrom(owner, { version: samples.version, signal }), {
              signal,
              pauses,
              onProgress: progress.tell,
              ...(plan && { plan }),
            });
            // The report travels over another channel than the progress and could overtake it.
            await progress.heard();
            return report;
          } finally {
            pausesOf.delete(id);
          }
        }),
      ),
    pause: (id, paused) => pausesOf.get(id)?.set(paused),
    evaluate: (id, samples) =>
      reply(() =>
        calls.run(id, async ({ signal }) =>
          able(estimator, "evaluate")(readFrom(ownerAt(samples), { version: samples.version, signal }), {
            signal,
          }),
        ),
      ),
    getWeights: () => reply(() => able(estimator, "getWeights")()),
    setWeights: (weights) => reply(async () => void (await able(estimator, "setWeights")(weights))),
    save: () => reply(() => able(estimator, "save")()),
  };
}

function able<Name extends "train" | "evaluate" | "getWeights" | "setWeights" | "save">(
  estimator: Estimator<unknown, unknown>,
  name: Name,
): NonNullable<Estimator<unknown, unknown>[Name]> {
  const method = estimator[name];
  if (!method)
    throw new TypeError(
      `train a model in a worker: expected an estimator that learns; got one without ${name}()`,
    );
  return method.bind(estimator) as NonNullable<Estimator<unknown, unknown>[Name]>;
}

function ownerAt({ port }: PostedSamples): Remote<SampleOwner> {
  (port as { start(): void }).start();
  return wrap<SampleOwner>(port as Endpoint);
}

/** Returns the owner's samples, read over its port. */
function readFrom(
  owner: Remote<SampleOwner>,
  { version, signal }: { readonly version: string; readonly signal: AbortSignal },
): LabeledSamples<unknown> {
  let readings = 0;
  return {
    version,
    async *[Symbol.asyncIterator]() {
      const reading = readings++;
      for (;;) {
        signal.throwIfAborted();
        const got = await abortable<Reply<readonly PostedLabeledSample[]>>(
          owner.read(reading, GROUP),
          signal,
        );
        if (!got.ok) throw fromPlainError(got.error);
        if (got.value.length === 0) return;
        const samples = got.value.map(({ posted, label }) => ({
          sample: posted.kind === "frame" ? receiveFrame(posted.handle) : posted.sample,
          label,
        }));
        let taken = 0;
        try {
          for (const sample of samples) {
            taken++;
            yield sample;
          }
        } finally {
          // The reader owns the samples that were yielded. Close the rest here.
          for (const { sample } of samples.slice(taken)) (sample as { close?(): void } | null)?.close?.();
        }
      }
    },
  };
}

function progressTo(owner: Remote<SampleOwner>) {
  const unheard = new Set<Promise<void>>();
  let newest: TrainingProgress | undefined;
  const send = async (progress: TrainingProgress): Promise<void> => {
    await Promise.resolve(owner.progress(progress)).catch(() => undefined);
    const next = newest;
    newest = undefined;
    if (next) await send(next);
  };
  const post = (progress: TrainingProgress): void => {
    const heard = send(progress).finally(() => unheard.delete(heard));
    unheard.add(heard);
  };
  return {
    tell(progress: TrainingProgress): void {
      if (unheard.size < MAX_UNACKNOWLEDGED) post(progress);
      else newest = progress;
    },
    async heard(): Promise<void> {
      while (unheard.size > 0) await Promise.all(unheard);
    },
  };
}

/** Creates pauses that the owner controls. */
function ownersPauses(paused: boolean): TrainingPauses & { set(paused: boolean): void } {
  const listeners = new Set<() => void>();
  let now = paused;
  return {
    get paused() {
      return now;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(next) {
      if (next === now) return;
      now = next;
      for (const listener of listeners) listener();
    },
  };
}
