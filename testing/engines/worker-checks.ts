import {
  decodeImage,
  superviseModel,
  workerEstimator,
  type Frame,
  type SupervisorEvent,
  type Tensors,
} from "@sedna-js/edge-agent";
import { verifiedModel } from "../fakes/verified-model.ts";
import type { EngineCheck } from "./engine-check.ts";

/** Returns a canvas's picture as a frame. */
async function canvasFrame({
  width,
  height,
  color,
}: {
  readonly width: number;
  readonly height: number;
  readonly color: string;
}): Promise<Frame> {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d")!;
  context.fillStyle = color;
  context.fillRect(0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  return decodeImage(new Uint8Array(await blob!.arrayBuffer()));
}

/** Checks of an estimator in its own Worker. */
export const workerChecks: readonly EngineCheck[] = [
  {
    name: "a frame is sent to an estimator in a Worker, and its result is returned",
    async run() {
      const estimator = workerEstimator<Frame, { sum: number }>(
        new Worker(new URL("../workers/tiny-worker.ts", import.meta.url), { type: "module" }),
      );
      const frame = await canvasFrame({ width: 12, height: 5, color: "rgb(200, 100, 0)" });
      const { sum } = await estimator.predict(frame);
      frame.close();
      await estimator.dispose();
      if (sum !== 12 * 5 * (200 + 100 + 255)) throw new Error(`expected the sum ${12 * 5 * 555}; got ${sum}`);
    },
  },
  {
    name: "a Worker crash is reported",
    async run() {
      const estimator = workerEstimator<unknown, unknown>(
        new Worker(new URL("../workers/tiny-worker.ts", import.meta.url), { type: "module" }),
      );
      await estimator.load();
      const error = await estimator.predict("crash").then(
        () => undefined,
        (reason: unknown) => reason,
      );
      await estimator.dispose();
      if ((error as { code?: string } | undefined)?.code !== "run-failed")
        throw new Error(`expected run-failed; got ${String(error)}`);
    },
  },
  {
    name: "a supervised model continues after its Worker is terminated",
    async run() {
      const workers: Worker[] = [];
      const events: SupervisorEvent[] = [];
      const createWorker = (): Worker => {
        const worker = new Worker(
          new URL("../../packages/edge-agent/test/fixtures/supervised/model.worker.ts", import.meta.url),
          { type: "module" },
        );
        workers.push(worker);
        return worker;
      };
      const model = superviseModel<Tensors, Tensors>({
        model: verifiedModel(),
        createWorker,
        executionProviders: ["wasm"],
        runTimeoutMs: 3000,
        onEvent: (event) => events.push(event),
      });
      const ask = async (value: number): Promise<void> => {
        const { y } = await model.predict({
          x: { dtype: "float32", shape: [1, 4], data: new Float32Array(4).fill(value) },
        });
        if (y!.data[3] !== 2 * value) throw new Error(`expected ${2 * value}; got ${String(y!.data[3])}`);
      };
      await ask(1);
      workers[0]!.terminate();
      await ask(2);
      await model.dispose();
      const story = events.map(({ type }) => type).join();
      if (workers.length !== 2 || story !== "model-opened,model-failed,model-opened,model-recovered")
        throw new Error(`expected a second Worker; got ${workers.length}: ${story}`);
      return events.flatMap((event) => (event.type === "model-failed" ? [event.reason] : [])).join();
    },
  },
];
