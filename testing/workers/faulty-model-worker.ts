// A model host for tests whose task "faulty" does what its samples say, as often as the options allow.
import type { Frame, Task, Tensors } from "@sedna-js/core";
import { isFrame } from "@sedna-js/core/vision";
import { exposeModelHost } from "../../packages/edge-agent/src/worker/expose-model-host.ts";
import { modelTasks } from "../../packages/edge-agent/src/models/model-tasks.ts";

/** A way to fail. */
export type Fault = "throw" | "abort" | "loop" | "never" | "memory" | "reject" | "misfit";

/** What the task "faulty" takes. */
export interface FaultySample {
  readonly x: Tensors[string];
  readonly fault?: Fault;
}

/** Options of the task "faulty". */
export interface FaultyOptions {
  /** How many more samples fail: one number of shared memory, so that it outlives Workers. Default: all. */
  readonly left?: Int32Array;
  /** Fails already when the model is opened. */
  readonly onOpen?: Fault;
}

const misbehave = async (fault: Fault): Promise<void> => {
  switch (fault) {
    case "throw":
      setTimeout(() => {
        throw new Error("the worker's own bug");
      });
      return new Promise(() => {});
    case "abort":
      throw Object.assign(new Error("Aborted(). Build with -sASSERTIONS for more info."), {
        name: "RuntimeError",
      });
    case "loop":
      for (;;);
    case "never":
      return new Promise(() => {});
    case "memory": {
      const kept: number[][] = [];
      for (;;) kept.push(Array.from({ length: 1e5 }, (_, i) => i + kept.length));
    }
    case "reject":
      throw Object.assign(new Error("unreachable"), { name: "RuntimeError" });
    case "misfit":
      throw new RangeError("expected a sample that fits; got none");
    default:
      return fault satisfies never;
  }
};

/** A frame as a sample: its first pixel. A frame from before the beginning of time is aborted over. */
const fromFrame = async (frame: Frame): Promise<FaultySample> => {
  const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
  await frame.copyTo(pixels);
  return {
    x: { dtype: "float32", shape: [1, 4], data: Float32Array.from(pixels.subarray(0, 4)) },
    ...(frame.timestamp < 0 && { fault: "abort" }),
  };
};

const faulty = ({ left, onOpen }: FaultyOptions = {}): Task<FaultySample | Frame, Tensors> => {
  const may = (): boolean => left === undefined || Atomics.sub(left, 0, 1) > 0;
  return {
    bind() {
      if (onOpen && may()) {
        if (onOpen === "loop") for (;;);
        throw new Error("the model's own bug");
      }
      return {
        kind: "tensors",
        async preprocess(sample) {
          const { x, fault } = isFrame(sample) ? await fromFrame(sample) : sample;
          if (fault && may()) await misbehave(fault);
          return { x };
        },
        postprocess: (outputs) => outputs,
        dispose() {},
      };
    },
  };
};

exposeModelHost({ tasks: { ...modelTasks, faulty } });
