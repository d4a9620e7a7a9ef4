// A model host for tests of updates. Its task "faulty" is "tensors" with faults after a number of samples.
import { tensors, type Task, type Tensors } from "@sedna-js/core";
import { modelTasks } from "../../packages/core/src/vision/model-tasks.ts";
import { exposeModelHost } from "../../packages/edge-agent/src/worker/expose-model-host.ts";

/** Options of the task "faulty". */
export interface Faults {
  /** The fault: the sample is rejected, the Worker exits, or the result takes 50 ms longer. */
  readonly fault: "refuse" | "crash" | "slow";
  /** Every n-th sample has the fault. Default 1. */
  readonly every?: number;
  /** Number of samples before the faults start. Default 0. */
  readonly from?: number;
}

const faulty = ({ fault, every = 1, from = 0 }: Faults): Task<Tensors, Tensors> => {
  let samples = 0;
  return {
    bind: (model) => ({
      ...tensors().bind(model),
      async preprocess(sample) {
        const number = ++samples - from;
        if (number <= 0 || number % every !== 0) return sample;
        if (fault === "refuse") throw new RangeError("expected another sample; got the model's own fault");
        if (fault === "crash") process.exit(3);
        await new Promise((resolve) => setTimeout(resolve, 50));
        return sample;
      },
    }),
  };
};

exposeModelHost({ tasks: { ...modelTasks, faulty } });
