import { callListener } from "@sedna-js/core/async";
import type { LabeledSamples, TrainableEstimator, TrainOptions, TrainingReport } from "@sedna-js/core";
import { expose, transfer, type Endpoint } from "comlink";
import type { WorkerResponses } from "./call-worker.ts";
import { postSamples, type PostedReading } from "./post-samples.ts";
import type { PostedSamples, RemoteEstimator, SampleOwner } from "./protocol.ts";
import type { WorkerCalls } from "./worker-calls.ts";

type Learner<Sample> = Pick<
  TrainableEstimator<Sample, unknown>,
  "train" | "evaluate" | "getWeights" | "setWeights"
> & { save(): Promise<Uint8Array> };

/**
 * Creates the training methods that call a Worker. The Worker reads samples on demand, in small groups, and
 * does not read a version again that it has read. Frames are transferred and closed here.
 */
export function callTraining<Sample>(
  calls: WorkerCalls<RemoteEstimator>,
  { ask }: Pick<WorkerResponses, "ask">,
): Learner<Sample> {
  const { remote, call } = calls;

  /** Exposes the samples and the progress callback to the Worker while `work` runs. */
  const offering = async <T>(
    samples: LabeledSamples<Sample>,
    { signal, onProgress }: Pick<TrainOptions, "signal" | "onProgress">,
    work: (posted: PostedSamples) => Promise<T>,
  ): Promise<T> => {
    signal?.throwIfAborted();
    if (calls.dead) throw calls.dead;
    const { port1, port2 } = new MessageChannel();
    const readings = new Map<number, PostedReading>();
    const owner: SampleOwner = {
      read: (number, count) => {
        if (!readings.has(number)) readings.set(number, postSamples(samples));
        return readings.get(number)!.next(count);
      },
      progress: (progress) => void (signal?.aborted || callListener(onProgress, progress)),
    };
    expose(owner, port1 as unknown as Endpoint);
    try {
      return await work({ version: samples.version, port: port2 });
    } finally {
      port1.close();
      for (const reading of readings.values()) await reading.end();
    }
  };

  return {
    train: (samples, { plan, signal, onProgress, pauses } = {}) =>
      offering(samples, { signal, onProgress }, async (posted): Promise<TrainingReport> => {
        let id: number | undefined;
        const stop = pauses?.onChange(() => void (id !== undefined && remote.pause(id, pauses.paused)));
        try {
          return await ask((number) => {
            id = number;
            return remote.train(
              number,
              handed({ samples: posted, plan, paused: pauses?.paused ?? false }, posted),
            );
          }, signal);
        } finally {
          stop?.();
        }
      }),
    evaluate: (samples, { signal } = {}) =>
      offering(samples, signal ? { signal } : {}, (posted) =>
        ask((id) => remote.evaluate(id, handed(posted, posted)), signal),
      ),
    getWeights: () => call(() => remote.getWeights()),
    setWeights: async (weights) => void (await call(() => remote.setWeights(weights))),
    save: () => call(() => remote.save()),
  };
}

/** Returns a message that transfers the port of these samples. */
function handed<T>(message: T, { port }: PostedSamples): T {
  return transfer(message, [port as never]);
}
