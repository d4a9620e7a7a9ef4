import { createJointInference, hardExampleMining, tensors, type Tensors } from "@sedna-js/core";
import { onnxEstimator } from "@sedna-js/edge-agent";
import * as ort from "onnxruntime-node";
import { fileURLToPath } from "node:url";
import type { Figure } from "../result.ts";
import { interleave, ratio, typical } from "../rounds.ts";

/**
 * Measures the overhead of the library: the whole path of a sample (run queue, miner, statistics, result)
 * against bare `session.run` of the big detector on the same tensors, with one thread.
 */
export async function benchJoint(): Promise<Figure[]> {
  const model = fileURLToPath(new URL("../../models/nanodet-g-416/model.onnx", import.meta.url));
  const data = Float32Array.from({ length: 3 * 416 * 416 }, (_, i) => Math.sin(i));
  const options = { executionProviders: ["cpu"], intraOpNumThreads: 1, interOpNumThreads: 1 };
  const session = await ort.InferenceSession.create(model, options);
  const feeds = { [session.inputNames[0]!]: new ort.Tensor("float32", data, [1, 3, 416, 416]) };

  const estimator = onnxEstimator({ model, task: tensors(), threads: 1 });
  const { inputs, outputs } = await estimator.load();
  const scores = outputs.find(({ shape }) => shape[2] === 80)!.name;
  const miner = hardExampleMining.IBT();
  const joint = createJointInference<Tensors, Tensors>({
    estimator,
    hardExampleMining: (result) =>
      miner(Array.from({ length: 20 }, (_, i) => [0, 0, 1, 1, Number(result[scores]!.data[80 * i]), 0])),
  });
  const sample: Tensors = { [inputs[0]!.name]: { dtype: "float32", shape: [1, 3, 416, 416], data } };

  const rounds = await interleave(
    { bare: () => session.run(feeds), joint: () => joint.inference(sample) },
    { rounds: 15, runs: 100, warmUp: 10 },
  );
  const { inferenceNumber } = joint.status();
  if (inferenceNumber !== 15 * 100 + 10)
    throw new Error(`bench joint: expected ${15 * 100 + 10} samples; got ${inferenceNumber}`);
  await estimator.dispose();
  return [
    { name: "joint", metric: "session.run, p50", value: typical(rounds, "bare"), unit: "ms" },
    {
      name: "joint",
      metric: "overhead, p50",
      value: typical(rounds, "joint"),
      unit: "ms",
      peer: "session.run",
      ratio: ratio(rounds, { a: "joint", b: "bare" }),
    },
    {
      name: "joint",
      metric: "overhead, p99",
      value: typical(rounds, "joint", 0.99),
      unit: "ms",
      peer: "session.run",
      ratio: ratio(rounds, { a: "joint", b: "bare", p: 0.99 }),
    },
  ];
}
