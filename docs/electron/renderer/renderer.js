import {
  camera,
  createJointInference,
  hardExampleMining,
  heatmapDetector,
  onnxEstimator,
  select,
} from "@sedna-js/edge-agent";

const joint = createJointInference({
  estimator: onnxEstimator({ model: new URL("models/little.onnx", location.href), task: heatmapDetector() }),
  hardExampleMining: select(hardExampleMining, { method: "Random", param: { random_ratio: 0.2 } }),
  bigModel: {
    async inference(frame) {
      const { bytes } = await frame.encode({ type: "image/jpeg", quality: 0.9 });
      return window.mainProcess.bigModel(bytes);
    },
  },
  deadlineMs: 5000,
});
for await (const { result, source, error } of joint.run(camera())) {
  document.querySelector("output").textContent = error
    ? String(error)
    : `${result.length} people, says the ${source === "cloud" ? "main process" : "renderer"}`;
}
