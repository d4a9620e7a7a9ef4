import { exposeEstimator, nanodet, onnxEstimator } from "@sedna-js/edge-agent";
import model from "../../models/nanodet-g-416/model.onnx?url";

// The big model in the page itself, for hosts without a cloud.
exposeEstimator(() =>
  onnxEstimator({
    model: new URL(model, self.location.href),
    task: nanodet({ labels: [0], threshold: 0.45 }),
  }),
);
