// A model host for tests. Its task "faulty" fails as its samples request, as often as the options allow.
import type { Frame, Task, Tensors } from "@sedna-js/core";
import { isFrame } from "@sedna-js/core/vision";
import { exposeModelHost } from "../../packages/edge-agent/src/worker/expose-model-host.ts";
import { modelTasks } from "../../packages/core/src/vision/model-tasks.ts";

/** A kind of failure. */
export type Fault = "throw" | "abort" | "loop" | "never" | "memory" | "reject" | "misfit";

/** Input of the task "faulty". */
export interface FaultySample {
  readonly x: Tensors[string];
  readonly fault?: Fault;
}

/** Options of the task "faulty". */
export interface FaultyOptions {
  /**
   * Number of samples that still fail, in shared memory, so that it survives Workers. Default: all samples
   * fail.
   */
  readonly left?: Int32Array;
  /** Failure when the model is opened. */
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

/** Returns a frame's first pixel as a sample. A frame with a negative timestamp causes the fault "abort". */
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
