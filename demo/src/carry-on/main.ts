import { messageOf } from "@sedna-js/core/errors";
import { createEdgeAgent, videoElement, type Detections, type ExecutionProvider } from "@sedna-js/edge-agent";
import model from "../../../models/tiny-person/model.onnx?url";
import recording from "../../../models/vtest/vtest.mp4?url";
import { connect } from "../cloud-connection.ts";
import { byId } from "../dom.ts";
import { createStage } from "../stage.ts";
import { createAgentWorkers } from "./agent-workers.ts";
import { createAnswersChart } from "./results-chart.ts";
import { connectButtons } from "./buttons.ts";
import { createFigures } from "./figures.ts";
import { createNetwork } from "./network.ts";
import { createPublisher } from "./publisher.ts";
import { currentFrame } from "./current-frame.ts";
import { logEvents, unanswered } from "./log-events.ts";
import { createTimeline } from "./timeline.ts";

// The page: a publisher of models, an agent that trusts it, a network between them that can be cut, and
// displays of the agent's state.

const asked = new URLSearchParams(location.search).get("providers")?.split(",") as
  | ExecutionProvider[]
  | undefined;
const stage = createStage({ canvas: byId("overlay", HTMLCanvasElement), message: byId("stage-message") });
const timeline = createTimeline({
  list: byId("timeline", HTMLOListElement),
  latest: byId("latest"),
  spoken: byId("spoken"),
});
const video = byId("video", HTMLVideoElement);

async function start(): Promise<void> {
  video.src = recording;
  await video.play();
  const [cloud, little] = await Promise.all([connect(new URL("cloud/", location.href)), fetch(model)]);
  const publisher = await createPublisher({
    place: new URL("published/", location.href),
    model: new Uint8Array(await little.arrayBuffer()),
    inputs: currentFrame(video, { width: 288, height: 216 }),
  });
  await publisher.publish("good");

  const network = createNetwork({ published: (url) => publisher.answer(url) });
  const workers = createAgentWorkers();
  const hasServer = cloud.place === "server";
  const agent = createEdgeAgent<Detections>({
    name: "carry-on",
    source: () => videoElement(video),
    model: { manifest: publisher.manifest, keys: publisher.keys, update: { probationFrames: 60 } },
    createWorker: () => workers.create(),
    hardExampleMining: { method: "ExpectedF1" },
    bigModel: cloud.bigModel,
    deadlineMs: hasServer ? 1500 : 5000,
    // The video is public. By default, the agent would not upload a camera's frames.
    privacy: { level: "full" },
    fetch: network.fetch,
    ...(asked && { executionProviders: asked }),
    ...(hasServer && { samples: { url: new URL("cloud", location.href) } }),
  });
  if (!hasServer)
    byId("about-samples").textContent =
      "This page has no server: the big model runs in the page, and hard examples are not sent.";

  const figures = createFigures();
  const chart = createAnswersChart({
    place: byId("chart-answers"),
    counts() {
      const { joint } = agent.status();
      return {
        edge: joint.inferenceNumber - joint.cloudNumber,
        cloud: joint.cloudNumber,
        none: unanswered(joint),
      };
    },
  });
  const refreshButtons = connectButtons({
    agent,
    workers,
    network,
    publisher,
    onDone({ text, mark }) {
      timeline.add({ actor: "you", text });
      chart.mark(mark);
    },
    onCut: (isCut) => (cloud.cut = isCut),
    onError: (error) => stage.warn(messageOf(error)),
  });
  const refresh = (): void => {
    refreshButtons();
    figures.show(agent.status(), cloud.describe());
  };

  agent.on((event) => {
    if (event.type === "model-opened" || event.type === "model-recovered") workers.opened(event.version);
    refreshButtons();
  });
  agent.on(logEvents({ timeline, status: () => agent.status() }));
  setInterval(refresh, 250);

  let newest = -1;
  for await (const result of agent.run()) {
    if (result.result !== null) figures.answered();
    // The cloud's result may arrive after results of later frames. It is counted, but the display never steps
    // back.
    if (result.index < newest) continue;
    newest = result.index;
    if (result.result !== null) await stage.show(result);
  }
}

start().catch((error: unknown) => stage.say(`The page could not start: ${messageOf(error)}`));
