import type { Estimator, LabeledSamples, TrainableEstimator, TrainingPlan } from "@sedna-js/core";
import { afterEach, describe, expect, it } from "vitest";
import { labeledSamples } from "../../packages/edge-agent/src/training/labeled-samples.ts";
import { separable, WIDTH } from "./trainable-estimator-suite.ts";

type Learner = TrainableEstimator<Float32Array, Float32Array> &
  Pick<Estimator<Float32Array, Float32Array>, "save">;

const plan: TrainingPlan = { epochs: 7, batchSize: 16, optimizer: { kind: "adam", learningRate: 0.02 } };
const dataOf = async (estimator: Learner): Promise<unknown[]> =>
  (await estimator.getWeights()).map(({ data }) => data);

/**
 * Conformance suite for a head in a Worker, that of `learning-worker.ts`, beyond its port. `here` creates the
 * same head in this thread.
 */
export function workerLearningSuite(
  name: string,
  { inWorker, here }: { readonly inWorker: () => Learner; readonly here: () => Learner },
): void {
  describe(`learning in ${name}`, { timeout: 20_000 }, () => {
    const made: Learner[] = [];
    const made1 = (one: Learner): Learner => (made.push(one), one);
    afterEach(async () => {
      for (const one of made.splice(0)) await one.dispose();
    });

    it("gives bit-identical results to training in this thread", async () => {
      const [there, local] = [made1(inWorker()), made1(here())];
      const reports = [
        await there.train(separable(90), { plan }),
        await local.train(separable(90), { plan }),
      ];
      expect(reports[0]).toEqual(reports[1]);
      expect(await dataOf(there)).toEqual(await dataOf(local));
      expect(await there.evaluate(separable(30, { seed: 5 }))).toEqual(
        await local.evaluate(separable(30, { seed: 5 })),
      );
      expect([...(await there.save!())]).toEqual([...(await local.save!())]);
    });

    it("rejects with run-failed if the Worker crashes during training, and closes the generator of the samples", async () => {
      const estimator = made1(inWorker());
      let left = false;
      const deadly: LabeledSamples<Float32Array> = {
        version: "deadly",
        async *[Symbol.asyncIterator]() {
          try {
            for (;;) yield { sample: new Float32Array(WIDTH).fill(666), label: 0 };
          } finally {
            left = true;
          }
        },
      };
      await expect(estimator.train(deadly, { plan })).rejects.toMatchObject({
        code: "run-failed",
        message: expect.stringContaining("the worker's own bug"),
      });
      expect(left).toBe(true);
      await expect(estimator.getWeights()).rejects.toMatchObject({ code: "run-failed" });
      await expect(estimator.train(separable(3), { plan })).rejects.toMatchObject({ code: "run-failed" });
    });

    it("leaves the caller's samples unchanged", async () => {
      const estimator = made1(inWorker());
      const samples = [0, 1, 2].map((label) => ({ label, sample: new Float32Array(WIDTH).fill(label) }));
      await estimator.train(labeledSamples(samples, { version: "mine" }), { plan });
      expect(samples.map(({ sample }) => [sample.length, sample[0]])).toEqual([
        [WIDTH, 0],
        [WIDTH, 1],
        [WIDTH, 2],
      ]);
    });

    it("reports the latest progress if training is faster than its listener", async () => {
      const estimator = made1(inWorker());
      const told: number[] = [];
      await estimator.train(separable(6), {
        plan: { ...plan, epochs: 3000 },
        onProgress: ({ phase, done }) => void (phase === "training" && told.push(done)),
      });
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.at(-1)).toBe(3000);
    });
  });
}
