import {
  exposeEstimator,
  heatmapDetector,
  onnxEstimator,
  type ExecutionProvider,
} from "@sedna-js/edge-agent";
import model from "../../models/tiny-person/model.onnx?url";

// The Worker's name holds the execution providers that the page's URL requests, if any.
const asked = self.name ? (self.name.split(",") as ExecutionProvider[]) : undefined;

exposeEstimator(() =>
  onnxEstimator({
    model: new URL(model, self.location.href),
    task: heatmapDetector(),
    executionProviders: asked,
  }),
);
