// Compiled, never run: what a user writes down must infer without a type argument or a cast.
import { bigModel, classifier, createJointInference, hardExampleMining, heatmapDetector, onnxEstimator, select, type Detections, type Frame, type Tensor } from "@sedna-js/edge-agent";

const detector = onnxEstimator({ model: "/model.onnx", task: heatmapDetector() });
const classes = onnxEstimator({ model: "/model.onnx", task: classifier() });
const cloud = { url: "/cloud" };

export const byName = createJointInference({
  estimator: detector,
  hardExampleMining: select(hardExampleMining, { method: "ExpectedF1", param: { upload_ratio: "0.2" } }),
  bigModel: bigModel(cloud),
});
export const byIbt = createJointInference({ estimator: detector, hardExampleMining: select(hardExampleMining, { method: "IBT", param: [{ key: "threshold_img", value: "0.9" }] }) });
export const own = createJointInference({ estimator: detector, hardExampleMining: (rows) => rows.length > 3, bigModel: bigModel(cloud) });
export const ofSamples = createJointInference({ estimator: detector, mode: "mining-then-inference", hardExampleMining: (frame) => frame.width > 640 });
export const ofClasses = createJointInference({ estimator: classes, hardExampleMining: hardExampleMining.Margin({ threshold: 0.6 }), bigModel: bigModel(cloud) });

export const detections: Promise<Detections | null> = own.inference({} as Frame).then(({ result }) => result);
export const probabilities: Promise<Float32Array | null> = ofClasses.inference({} as Tensor).then(({ result }) => result);
own.update({ hardExampleMining: hardExampleMining.Threshold(), policy: "edge-first" });

// @ts-expect-error a misspelt parameter is no parameter
select(hardExampleMining, { method: "IBT", param: { treshold_img: 0.9 } });
// @ts-expect-error a miner of frames does not judge detections
createJointInference({ estimator: detector, hardExampleMining: (frame: Frame) => frame.width > 3 });
