import { messageOf } from "@sedna-js/core/errors";
import { createJointInference, workerEstimator, type Detections, type Frame } from "@sedna-js/edge-agent";
import { createAgreementPanel } from "./agreement-panel.ts";
import { createCharts } from "./charts.ts";
import { connect } from "./cloud-connection.ts";
import { connectControls } from "./controls.ts";
import { createDigitsPanel } from "./digits-panel.ts";
import { byId } from "./dom.ts";
import { createPlayer } from "./player.ts";
import { createStage } from "./stage.ts";

// The page: a Worker with the little model, the connection to the big model, joint inference, and the
// displays.

const asked = new URLSearchParams(location.search);
const stage = createStage({ canvas: byId("overlay", HTMLCanvasElement), message: byId("stage-message") });
const worker = new Worker(new URL("./edge.worker.ts", import.meta.url), {
  type: "module",
  name: asked.get("providers") ?? "",
});
const estimator = workerEstimator<Frame, Detections>(worker);
const cloud = await connect(new URL("cloud/", location.href));
const joint = createJointInference({
  estimator,
  bigModel: cloud.bigModel,
  deadlineMs: cloud.place === "server" ? 1500 : 5000,
});
connectControls(joint);

const charts = createCharts({
  latency: byId("chart-latency"),
  ratio: byId("chart-ratio"),
  bytes: byId("chart-bytes"),
});
const panel = await createAgreementPanel().catch((error: unknown) => {
  stage.warn(`The records of this video could not be loaded, so no agreement is shown: ${String(error)}`);
  return undefined;
});
const player = createPlayer({
  joint,
  video: byId("video", HTMLVideoElement),
  stage,
  onStart({ isCamera }) {
    panel?.reset();
    byId("camera").textContent = isCamera ? "Back to the video" : "Use my camera";
    byId("worth-note").classList.toggle("muted", isCamera);
  },
  onResult(result, { isCamera }) {
    charts.add(result);
    if (!isCamera) panel?.add(result);
  },
});
createDigitsPanel();

estimator.load().then(
  ({ backend }) => (byId("backend").textContent = backend === "webgpu" ? "WebGPU" : backend.toUpperCase()),
  (error: unknown) => stage.say(`The little model could not be loaded: ${messageOf(error)}`),
);
byId("camera").addEventListener("click", () => player.toggle());
byId("network").addEventListener("click", () => {
  cloud.cut = !cloud.cut;
  byId("network").setAttribute("aria-pressed", String(cloud.cut));
  byId("network").textContent = cloud.cut ? "Restore the network" : "Cut the network";
});
setInterval(() => {
  const { inferenceNumber, cloudNumber, fallbackNumber, droppedNumber } = joint.status();
  byId("answered").textContent = String(inferenceNumber);
  byId("by-cloud").textContent = String(cloudNumber);
  byId("fallbacks").textContent = String(fallbackNumber);
  byId("dropped").textContent = String(droppedNumber);
  byId("cloud").textContent = cloud.describe();
}, 500);
player.toggle();
