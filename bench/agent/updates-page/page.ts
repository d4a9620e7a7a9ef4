// Runs an agent whose model is updated repeatedly while frames are processed. The benchmark controls it
// through `globalThis.updated`.
import { createJointInference, type Detections, type Frame } from "@sedna-js/core";
import { superviseModel } from "@sedna-js/edge-agent";
import { memoryModelStore } from "../../../testing/fakes/memory-model-store.ts";
import { verifiedModel } from "../../../testing/fakes/verified-model.ts";
import { browserFrame } from "../../../packages/edge-agent/src/frames/video-frame.browser.ts";
import type { VerifiedModel } from "../../../packages/edge-agent/src/models/model-store.ts";
import type { SupervisedModel } from "../../../packages/edge-agent/src/supervisor/supervised-model.ts";
import { createModelSlot } from "../../../packages/edge-agent/src/updates/create-model-slot.ts";
import { createUpdater } from "../../../packages/edge-agent/src/updates/create-updater.ts";
import modelUrl from "../../../models/tiny-person/model.onnx?url";

/** Yields frames of 160x120 with a moving square, each in its own memory. */
async function* camera(given: { frames: number }, stop: AbortSignal): AsyncGenerator<Frame> {
  const canvas = new OffscreenCanvas(160, 120);
  const context = canvas.getContext("2d")!;
  while (!stop.aborted) {
    context.fillStyle = "#456";
    context.fillRect(0, 0, 160, 120);
    context.fillStyle = "#dca";
    context.fillRect(given.frames % 120, 30, 20, 60);
    yield browserFrame(new VideoFrame(canvas, { timestamp: 1000 * given.frames++ }));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function start() {
  const file = new Uint8Array(await (await fetch(modelUrl)).arrayBuffer());
  const version = (number: number): VerifiedModel =>
    verifiedModel(
      { "model.onnx": file },
      { name: "tiny-person", version: number, inputs: [], outputs: [], task: { name: "heatmap" } },
    );
  const store = memoryModelStore(version(1));
  let opened = 0;
  const open = (model: VerifiedModel): SupervisedModel<Frame, Detections> =>
    superviseModel({
      model,
      executionProviders: ["wasm"],
      createWorker() {
        opened++;
        return new Worker(new URL("./model.worker.ts", import.meta.url), { type: "module" });
      },
    });
  const slot = createModelSlot<Frame, Detections, SupervisedModel<Frame, Detections>>(open(version(1)));
  const settings = {
    shadowFrames: 3,
    shadowMs: 60_000,
    probationFrames: 5,
    probationMs: 60_000,
    latencySlackMs: 10_000,
  };
  const updater = createUpdater({ store, slot, open, settings });
  await slot.load();

  const stop = new AbortController();
  const given = { frames: 0 };
  const counts = { answered: 0, failed: 0, outOfOrder: 0 };
  const flow = async (): Promise<void> => {
    for await (const { index, result } of createJointInference<Frame, Detections>({ estimator: slot }).run(
      camera(given, stop.signal),
    )) {
      if (index !== counts.answered + counts.failed) counts.outOfOrder++;
      if (result === null) counts.failed++;
      else counts.answered++;
    }
  };
  const flowing = flow();
  let newest = 1;
  return {
    /** Publishes `times` versions, one after another, and installs each. */
    async update(times: number): Promise<void> {
      for (let i = 0; i < times; i++) {
        store.publish(version(++newest));
        const outcome = await updater.check();
        if (outcome.result !== "confirmed")
          throw new Error(
            `update the model: expected version ${newest} to be confirmed; got ${JSON.stringify(outcome)}`,
          );
      }
    },
    state: () => ({ version: slot.current.manifest.version, opened }),
    /** Stops the camera and returns the counts of its frames. */
    async end() {
      stop.abort();
      await flowing;
      await updater.dispose();
      await slot.dispose();
      return { ...counts, given: given.frames };
    },
  };
}

/** The functions that the page exposes to the benchmark. */
export type Updated = Awaited<ReturnType<typeof start>>;
Object.assign(globalThis, {
  startUpdates: async () => void Object.assign(globalThis, { updated: await start() }),
});
