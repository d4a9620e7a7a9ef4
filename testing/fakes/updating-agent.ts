// One run of an agent that updates its model, for tests: real Workers, real ONNX models, and a camera of
// tensors.
import { createJointInference, type Tensors } from "@sedna-js/core";
import { writeSafetensors, type ModelManifest } from "@sedna-js/core/wire";
import type { Worker } from "node:worker_threads";
import type { ModelStore, VerifiedModel } from "../../packages/edge-agent/src/models/model-store.ts";
import { superviseModel } from "../../packages/edge-agent/src/supervisor/supervise-model.ts";
import type { SupervisedModel } from "../../packages/edge-agent/src/supervisor/supervised-model.ts";
import { createModelSlot } from "../../packages/edge-agent/src/updates/create-model-slot.ts";
import { createUpdater, type Updater } from "../../packages/edge-agent/src/updates/create-updater.ts";
import type { ModelSlot } from "../../packages/edge-agent/src/updates/model-slot.ts";
import type { UpdateEvent } from "../../packages/edge-agent/src/updates/update-events.ts";
import type { UpdaterSettings } from "../../packages/edge-agent/src/updates/updater-settings.ts";
import { tinyOnnx, type TinyOnnxOptions } from "./tiny-onnx.ts";
import type { Faults } from "../workers/update-worker.ts";
import { verifiedModel } from "./verified-model.ts";

/**
 * Returns a frame of threes. y = x + x gives 6, y = x * x gives 9, which is close enough to pass as a better
 * version.
 */
export function frame(value = 3): Tensors {
  return { x: { dtype: "float32", shape: [1, 4], data: new Float32Array(4).fill(value) } };
}

/** Options of {@link version}. */
export interface VersionOptions {
  /** Default `Mul`: y = x * x. */
  readonly op?: string;
  readonly faults?: Faults;
  /** Value of all golden inputs, and value of all golden outputs. */
  readonly golden?: readonly [input: number, output: number];
  readonly manifest?: Partial<ModelManifest>;
  readonly file?: Uint8Array<ArrayBuffer>;
  readonly onnx?: TinyOnnxOptions;
}

/** Returns a version to publish. */
export function version(
  number: number,
  {
    op = "Mul",
    faults,
    golden,
    manifest = {},
    onnx = {},
    file = tinyOnnx({ op, ...onnx }),
  }: VersionOptions = {},
): VerifiedModel {
  const cases = golden
    ? {
        in: writeSafetensors({ tensors: frame(golden[0]) }),
        out: writeSafetensors({ tensors: { y: frame(golden[1])["x"]! } }),
      }
    : undefined;
  return verifiedModel(
    { "model.onnx": file, ...cases },
    {
      version: number,
      ...(faults && { task: { name: "faulty", options: { ...faults } } }),
      ...(cases && {
        golden: [{ inputs: "in", outputs: "out", tolerance: { absolute: 1e-5, relative: 0 } }],
      }),
      ...manifest,
    },
  );
}

/** Options of {@link updatingAgent}. */
export interface UpdatingAgentOptions {
  readonly store: ModelStore;
  readonly createWorker: () => Worker;
  readonly settings?: UpdaterSettings;
  /** Whether there is a frame every ms, overwritten as soon as its result is there. Default true. */
  readonly camera?: boolean;
  readonly metric?: () => number;
  readonly onEvent?: (event: UpdateEvent) => void;
}

/** A running agent, with its events and results. */
export interface UpdatingAgent {
  readonly slot: ModelSlot<Tensors, Tensors, SupervisedModel<Tensors, Tensors>>;
  readonly updater: Updater;
  readonly events: readonly UpdateEvent[];
  types(): UpdateEvent["type"][];
  /** First number of each result, or its error. */
  readonly answers: readonly { readonly index: number; readonly value: unknown }[];
  /** Workers that are running. */
  readonly workers: ReadonlySet<Worker>;
  end(): Promise<void>;
}

/** Starts the store's current model, a camera and an updater. */
export async function updatingAgent({
  store,
  createWorker,
  settings = {},
  camera = true,
  metric,
  onEvent,
}: UpdatingAgentOptions): Promise<UpdatingAgent> {
  const workers = new Set<Worker>();
  const openModel = (model: VerifiedModel): SupervisedModel<Tensors, Tensors> =>
    superviseModel({
      model,
      createWorker() {
        const worker = createWorker();
        workers.add(worker);
        worker.once("exit", () => workers.delete(worker));
        return worker;
      },
    });
  const slot = createModelSlot<Tensors, Tensors, SupervisedModel<Tensors, Tensors>>(
    openModel((await store.current())!),
  );
  const events: UpdateEvent[] = [];
  const tell = (event: UpdateEvent): void => {
    events.push(event);
    onEvent?.(event);
  };
  // The machine that runs the tests can be slow. A test that must detect a slow model sets its own limit.
  const quick: UpdaterSettings = {
    shadowFrames: 5,
    shadowMs: 5000,
    probationFrames: 30,
    probationMs: 10_000,
    drainMs: 2000,
    latencySlackMs: 1000,
  };
  const updater = createUpdater({
    store,
    slot,
    open: openModel,
    settings: { ...quick, ...settings },
    onEvent: tell,
    ...(metric && { metric }),
  });
  const stop = new AbortController();
  const answers: { readonly index: number; readonly value: unknown }[] = [];

  const watch = async (): Promise<void> => {
    const source = async function* () {
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield frame();
      }
    };
    try {
      for await (const { index, result, error, sample } of createJointInference<Tensors, Tensors>({
        estimator: slot,
      }).run(source(), { signal: stop.signal })) {
        answers.push({ index, value: result?.["y"]!.data[0] ?? error });
        sample["x"]!.data.fill(-1 as never);
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  await slot.load();
  const watching = camera ? watch() : Promise.resolve();
  const end = async (): Promise<void> => {
    stop.abort(new Error("enough"));
    await watching;
    await updater.dispose();
    await slot.dispose();
  };
  return { slot, updater, events, answers, workers, end, types: () => events.map(({ type }) => type) };
}
