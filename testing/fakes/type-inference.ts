// Compiled, never run: a user's code must infer its types without a type argument or a cast.
import {
  bigModel,
  camera,
  classifier,
  createEdgeAgent,
  createJointInference,
  hardExampleMining,
  heatmapDetector,
  onnxEstimator,
  select,
  type Detections,
  type Frame,
  type Tensor,
} from "@sedna-js/edge-agent";

const detector = onnxEstimator({ model: "/model.onnx", task: heatmapDetector() });
const classes = onnxEstimator({ model: "/model.onnx", task: classifier() });
const cloud = { url: "/cloud" };

export const byName = createJointInference({
  estimator: detector,
  hardExampleMining: select(hardExampleMining, { method: "ExpectedF1", param: { upload_ratio: "0.2" } }),
  bigModel: bigModel(cloud),
});
export const byIbt = createJointInference({
  estimator: detector,
  hardExampleMining: select(hardExampleMining, {
    method: "IBT",
    param: [{ key: "threshold_img", value: "0.9" }],
  }),
});
export const own = createJointInference({
  estimator: detector,
  hardExampleMining: (rows) => rows.length > 3,
  bigModel: bigModel(cloud),
});
export const ofSamples = createJointInference({
  estimator: detector,
  mode: "mining-then-inference",
  hardExampleMining: (frame) => frame.width > 640,
});
export const ofClasses = createJointInference({
  estimator: classes,
  hardExampleMining: hardExampleMining.Margin({ threshold: 0.6 }),
  bigModel: bigModel(cloud),
});

export const detections: Promise<Detections | null> = own.inference({} as Frame).then(({ result }) => result);
export const probabilities: Promise<Float32Array | null> = ofClasses
  .inference({} as Tensor)
  .then(({ result }) => result);
own.update({ hardExampleMining: hardExampleMining.Threshold(), policy: "edge-first" });

// @ts-expect-error a misspelt parameter is no parameter
select(hardExampleMining, { method: "IBT", param: { treshold_img: 0.9 } });
// @ts-expect-error a miner of frames does not judge detections
createJointInference({ estimator: detector, hardExampleMining: (frame: Frame) => frame.width > 3 });

// An agent returns detections by default, and otherwise the result type of its own parts.
const agent = createEdgeAgent({
  name: "gate",
  source: () => camera(),
  model: { file: "/model.onnx", task: { name: "heatmap" } },
  hardExampleMining: { method: "IBT" },
  bigModel: bigModel({ url: "/cloud" }),
});
for await (const { result } of agent.run()) result satisfies Detections | null;

const numbers = createEdgeAgent({
  name: "meter",
  source: () => camera(),
  model: { file: "/model.onnx", task: { name: "mine" } },
  hardExampleMining: (value: number) => value > 3,
});
for await (const { result } of numbers.run()) result satisfies number | null;
