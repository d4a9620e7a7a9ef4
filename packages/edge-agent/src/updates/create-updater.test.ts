import { createJointInference, SednaError, writeSafetensors, type ModelManifest, type Tensors } from "@sedna-js/core";
import { workerEstimator } from "@sedna-js/edge-agent";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundledWorker } from "../../../../testing/bundled-worker.ts";
import { memoryModelStore, type MemoryModelStore } from "../../../../testing/memory-model-store.ts";
import { tinyOnnx, type TinyOnnxOptions } from "../../../../testing/tiny-onnx.ts";
import type { UpdateWorkerData } from "../../../../testing/update-worker.ts";
import { verifiedModel } from "../../../../testing/verified-model.ts";
import type { VerifiedModel } from "../models/model-store.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { createModelSlot } from "./create-model-slot.ts";
import { createUpdater, type Updater } from "./create-updater.ts";
import type { ModelSlot } from "./model-slot.ts";
import type { UpdateEvent } from "./update-events.ts";
import type { UpdaterSettings } from "./updater-settings.ts";

type Model = SupervisedModel<Tensors, Tensors>;
/** A frame of threes: y = x + x gives 6, y = x * x gives 9, near enough to pass for a better version. */
const frame = (value = 3): Tensors => ({ x: { dtype: "float32", shape: [1, 4], data: new Float32Array(4).fill(value) } });
const quick: UpdaterSettings = { shadowFrames: 5, shadowMs: 5000, probationFrames: 30, probationMs: 5000, drainMs: 2000 };

let startWorker: (data: UpdateWorkerData) => Worker;
beforeAll(async () => {
  startWorker = await bundledWorker(new URL("../../../../testing/update-worker.ts", import.meta.url));
}, 30_000);

type Faults = Omit<UpdateWorkerData, "model">;
/** A published version, and what will go wrong where it runs. */
interface Version {
  readonly model: VerifiedModel;
  readonly faults: Faults;
}
function version(number: number, { op = "Mul", faults = {}, manifest = {}, files = {}, onnx = {} }: { op?: string; faults?: Faults; manifest?: Partial<ModelManifest>; files?: Record<string, Uint8Array<ArrayBuffer>>; onnx?: TinyOnnxOptions } = {}): Version {
  return { model: verifiedModel({ "model.onnx": tinyOnnx({ op, ...onnx }), ...files }, { version: number, ...manifest }), faults };
}

const golden = (value: number, result: number) => ({
  files: { "in.safetensors": writeSafetensors({ tensors: frame(value) }), "out.safetensors": writeSafetensors({ tensors: { y: { ...frame(result)["x"]! } } }) },
  manifest: { golden: [{ inputs: "in.safetensors", outputs: "out.safetensors", tolerance: { absolute: 1e-5, relative: 0 } }] },
});

const open: { dispose(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.dispose();
});

/** One life of an agent: the model that the store says, a camera, an updater. */
async function boot(store: MemoryModelStore, { versions, settings = {}, camera = true, first = {}, ...options }: { versions: Version[]; settings?: UpdaterSettings; camera?: boolean; first?: Faults; metric?: () => number; agreement?: (a: Tensors, b: Tensors) => number }) {
  const living = new Set<number>();
  const openModel = async (model: VerifiedModel): Promise<Model> => {
    const faults = versions.find((one) => one.model.manifest.version === model.manifest.version)?.faults ?? first;
    const worker = startWorker({ model: await model.read("model.onnx"), ...faults });
    living.add(worker.threadId);
    const { threadId } = worker;
    worker.once("exit", () => living.delete(threadId));
    const estimator = workerEstimator<Tensors, Tensors>(worker);
    return { ...estimator, run: estimator.predict, manifest: model.manifest, rung: "cpu" };
  };
  const slot: ModelSlot<Tensors, Tensors, Model> = createModelSlot(await openModel((await store.current())!));
  const events: UpdateEvent[] = [];
  const updater: Updater = createUpdater({ store, slot, open: openModel, settings: { ...quick, ...settings }, onEvent: (event) => events.push(event), ...options });
  const stop = new AbortController();
  const answers: { index: number; value: number | undefined; error?: unknown }[] = [];
  const watch = async (): Promise<void> => {
    // A frame is overwritten as soon as it is answered: whoever needs it longer has to have a copy.
    const source = async function* () {
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield frame();
      }
    };
    const joint = createJointInference<Tensors, Tensors>({ estimator: slot });
    try {
      for await (const { index, result, error, sample } of joint.run(source(), { signal: stop.signal })) {
        answers.push({ index, value: result?.["y"]!.data[0] as number | undefined, ...(error === undefined ? {} : { error }) });
        sample["x"]!.data.fill(-1 as never);
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  await slot.load();
  const watching = camera ? watch() : Promise.resolve();
  const crash = async (): Promise<void> => {
    stop.abort(new Error("enough"));
    await watching;
    await updater.dispose();
    await slot.dispose();
  };
  open.push({ dispose: crash });
  return { slot, updater, events, answers, living, crash, types: () => events.map(({ type }) => type) };
}

/** Published, and looked for once. */
async function offer(offered: Version, options: Omit<Parameters<typeof boot>[1], "versions"> = {}) {
  const store = memoryModelStore(version(1, { op: "Add" }).model);
  const agent = await boot(store, { ...options, versions: [offered] });
  store.publish(offered.model);
  const outcome = await agent.updater.check();
  return { store, ...agent, outcome };
}

describe("C14: hot update", { timeout: 30_000 }, () => {
  it("C14: a good model takes over between two frames: none is dropped, and each is answered by one of the two", async () => {
    const { answers, events, outcome, store, living, slot, crash, types } = await offer(version(2, golden(3, 9)));
    expect(outcome).toEqual({ result: "confirmed", version: 2 });
    expect(types()).toEqual(["update-found", "update-staged", "update-checked", "update-shadowed", "update-swapped", "update-confirmed"]);
    expect(events).toMatchObject([{ from: 1, version: 2 }, {}, { goldenCases: 1 }, { frames: 5, agreement: expect.closeTo(0.8) }, { from: 1, version: 2 }, { frames: expect.any(Number) }]);
    expect(slot.current.manifest.version).toBe(2);
    expect(living.size).toBe(1);
    await crash();
    expect(answers.map(({ index }) => index)).toEqual(answers.map((_, i) => i));
    const values = answers.map(({ value }) => value);
    const swap = values.indexOf(9);
    expect(values).toEqual([...values.slice(0, swap).fill(6), ...values.slice(swap).fill(9)]);
    expect(swap).toBeGreaterThan(0);
    expect(values.length - swap).toBeGreaterThanOrEqual(30);
    expect(store.marks).toEqual(["2 trial", "2 good"]);
  });

  const rejected: [name: string, refusal: string, offered: () => Version][] = [
    ["whose outputs are NaN on its golden inputs", "golden-mismatch", () => version(2, { op: "Sqrt", onnx: { inputs: 1 }, ...golden(-3, 9) })],
    ["whose outputs are NaN on live frames", "shadow-errors", () => version(2, { op: "Acos", onnx: { inputs: 1 } })],
    ["whose inputs have other names than its manifest promises", "does-not-open", () => version(2, { manifest: { inputs: [{ name: "image", dtype: "float32", shape: [-1, 4] }] } })],
    ["that is no ONNX", "does-not-open", () => version(2, { files: { "model.onnx": new TextEncoder().encode("<!doctype html>") } })],
    ["that is wrong on its golden inputs", "golden-mismatch", () => version(2, golden(3, 6))],
    ["that is right on its golden inputs and worse on live frames", "shadow-disagrees", () => version(2, { op: "Neg", onnx: { inputs: 1 }, ...golden(0, 0) })],
    ["that is slower", "shadow-slower", () => version(2, { faults: { delayMs: 40 } })],
    ["that throws on every third frame", "shadow-errors", () => version(2, { faults: { failEvery: 3 } })],
    ["whose Worker crashes on live frames", "shadow-errors", () => version(2, { faults: { failEvery: 4, fault: "crash" } })],
  ];
  it.each(rejected)("C14: a model %s is refused: %s; it is never heard and leaves nothing", async (_name, refusal, offered) => {
    const { answers, outcome, store, living, slot, events, updater, crash } = await offer(offered());
    expect(outcome).toMatchObject({ result: "rejected", version: 2, refusal });
    expect(events.at(-1)).toMatchObject({ type: "update-rejected", model: "tiny", version: 2, refusal, error: { message: expect.stringMatching(/expected|fault|worker/) } });
    expect(store.marks).toEqual(["2 bad"]);
    expect(slot.current.manifest.version).toBe(1);
    await expect.poll(() => living.size).toBe(1);
    const told = events.length;
    expect(await updater.check()).toEqual({ result: "known-bad", version: 2 });
    expect(events.length).toBe(told);
    await crash();
    expect(answers.every(({ value }) => value === 6)).toBe(true);
  });

  const rolledBack: [name: string, refusal: string, faults: Faults, options?: { metric?: () => number }][] = [
    ["that throws on every third frame after the swap", "errors", { failEvery: 3, failFrom: 6 }],
    ["that becomes slower after the swap", "slower", { failEvery: 1, failFrom: 6, fault: "slow" }],
    ["whose Worker crashes after the swap", "errors", { failEvery: 1, failFrom: 12, fault: "crash" }],
  ];
  it.each(rolledBack)("C14: a model %s is rolled back: %s", async (_name, refusal, faults) => {
    const { answers, outcome, store, living, slot, events, crash } = await offer(version(2, { faults }));
    expect(outcome).toMatchObject({ result: "rolled-back", version: 2, refusal });
    expect(events.at(-1)).toMatchObject({ type: "update-rolled-back", from: 2, to: 1, refusal });
    expect(store.marks).toEqual(["2 trial", "2 bad"]);
    expect(slot.current.manifest.version).toBe(1);
    await expect.poll(() => living.size).toBe(1);
    const before = answers.length;
    await expect.poll(() => answers.length).toBeGreaterThan(before + 3);
    await crash();
    expect(answers.at(-1)!.value).toBe(6);
    expect(answers.map(({ index }) => index)).toEqual(answers.map((_, i) => i));
  });

  it("C14: a watched metric that falls takes a version back", async () => {
    const metric = { value: 0.8 };
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const agent = await boot(store, { versions: [version(2)], metric: () => metric.value });
    store.publish(version(2).model);
    agent.slot.watch(({ result }) => (metric.value = result?.["y"]!.data[0] === 9 ? 0.6 : 0.8));
    expect(await agent.updater.check()).toMatchObject({ result: "rolled-back", refusal: "metric", error: { message: expect.stringContaining("expected the watched metric to stay at 0.72 or above; got 0.6") } });
  });

  it("confirms by golden inputs and time alone where the camera is quiet, and says so", async () => {
    const { outcome, events } = await offer(version(2, golden(3, 9)), { camera: false, settings: { shadowMs: 30, probationMs: 30 } });
    expect(outcome).toEqual({ result: "confirmed", version: 2 });
    expect(events).toMatchObject([{}, {}, { goldenCases: 1 }, { type: "update-shadowed", frames: 0 }, {}, { type: "update-confirmed", frames: 0 }]);
    expect(events[3]).not.toHaveProperty("agreement");
  });

  it("takes a second and a third update, each from a version that is newer", async () => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const versions = [version(2), version(3, { op: "Add" }), version(4)];
    const { updater, events, living, slot } = await boot(store, { versions });
    for (const { model } of versions) {
      store.publish(model);
      expect(await updater.check()).toEqual({ result: "confirmed", version: model.manifest.version });
      expect(living.size).toBe(1);
    }
    const swaps = events.filter((event) => event.type === "update-swapped");
    expect(swaps.map(({ from, version: to }) => [from, to])).toEqual([[1, 2], [2, 3], [3, 4]]);
    store.publish(versions[1]!.model);
    expect(await updater.check()).toEqual({ result: "current", version: 3 });
    expect(slot.current.manifest.version).toBe(4);
  });

  it("looks again after an update for what came meanwhile, one at a time", async () => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const versions = [version(2), version(3, { op: "Add" })];
    const { updater, slot } = await boot(store, { versions });
    store.publish(versions[0]!.model);
    const first = updater.check();
    await expect.poll(() => updater.state.stage).toBe("probation");
    store.publish(versions[1]!.model);
    const [second, same] = [updater.check(), updater.check()];
    expect(same).toBe(second);
    expect(await Promise.all([first, second])).toEqual([{ result: "confirmed", version: 2 }, { result: "confirmed", version: 3 }]);
    expect(slot.current.manifest.version).toBe(3);
    expect(updater.state).toEqual({ stage: "idle" });
  });

  it("postpones what the network or the storage says, tells it once, and takes the version when that has passed", async () => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const { updater, types, living } = await boot(store, { versions: [version(2)] });
    store.publish(version(2).model);
    const offline = new SednaError("fetch the manifest: expected an answer; the network failed", { code: "model-unreadable", retryable: true, retryAfterMs: 70 });
    const full = new SednaError("remember a version: expected room; the disk is full", { code: "storage-full" });
    for (const [call, failure] of [["check", offline], ["check", offline], ["install", offline], ["mark", full]] as const) {
      store.failures[call] = failure;
      expect(await updater.check()).toMatchObject({ result: "postponed", error: { code: failure.code } });
      expect(living.size).toBe(1);
    }
    expect(await updater.check()).toEqual({ result: "confirmed", version: 2 });
    expect(types().filter((type) => type === "update-postponed" || type === "update-found")).toEqual(["update-postponed", "update-found", "update-postponed", "update-postponed"]);
    expect(store.marks).toEqual(["2 trial", "2 good"]);
  });

  it.each([["model-untrusted", "untrusted"], ["model-outdated", "outdated"], ["model-unreadable", "unreadable"]] as const)("refuses what the store finds %s, and holds it against no version", async (code, refusal) => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const { updater, events } = await boot(store, { versions: [], camera: false });
    store.publish(version(2).model);
    for (let i = 0; i < 2; i++) {
      store.failures.check = new SednaError("verify the manifest", { code });
      expect(await updater.check()).toMatchObject({ result: "rejected", refusal });
    }
    expect(events).toEqual([{ type: "update-rejected", model: "tiny", refusal, error: expect.objectContaining({ code }) }]);
    expect(store.marks).toEqual([]);
  });

  it("marks a version good at the next check where the storage could not take it", async () => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const { updater, slot, types } = await boot(store, { versions: [version(2)], camera: false, settings: { shadowMs: 10, probationMs: 50 } });
    store.publish(version(2).model);
    const checking = updater.check();
    await expect.poll(() => slot.current.manifest.version).toBe(2);
    store.failures.mark = new SednaError("remember a version", { code: "storage-failed" });
    expect(await checking).toMatchObject({ result: "postponed" });
    expect(types()).not.toContain("update-confirmed");
    expect(await updater.check()).toEqual({ result: "current", version: 2 });
    expect(store.marks).toEqual(["2 trial", "2 good"]);
    expect(types().at(-1)).toBe("update-confirmed");
  });

  it.each(["installing", "staging", "shadowing", "probation"] as const)("C14: the agent ends while %s: the next start runs the last good version, and takes the update then", async (stage) => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const versions = [version(2)];
    const first = await boot(store, { versions, settings: { probationFrames: 1e6 } });
    store.publish(versions[0]!.model);
    const install = store.install.bind(store);
    store.install = async (options) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return install(options);
    };
    const checking = first.updater.check().catch((error: unknown) => error);
    await expect.poll(() => first.updater.state.stage, { interval: 1 }).toBe(stage);
    await first.crash();
    expect(await checking).toMatchObject({ code: "disposed" });
    await expect.poll(() => first.living.size).toBe(0);

    expect((await store.current())!.manifest.version).toBe(1);
    const second = await boot(store, { versions });
    expect(second.slot.current.manifest.version).toBe(1);
    expect(await second.updater.check()).toEqual({ result: "confirmed", version: 2 });
  });

  it("C14: a version that ends the process in each of its trials is refused in the end", async () => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    store.publish(version(2).model);
    for (let start = 0; start < 3; start++) {
      const life = await boot(store, { versions: [version(2)], settings: { probationFrames: 1e6 } });
      const checking = life.updater.check().catch(() => {});
      await expect.poll(() => life.updater.state.stage, { interval: 1 }).toBe("probation");
      await life.crash();
      await checking;
    }
    const last = await boot(store, { versions: [version(2)], camera: false });
    expect(await last.updater.check()).toMatchObject({ result: "rejected", version: 2, refusal: "errors", error: { message: expect.stringContaining("3 of them") } });
    expect(store.marks.at(-1)).toBe("2 bad");
  });
});

describe("rollback()", { timeout: 30_000 }, () => {
  it("ends a probation at once", async () => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const { updater, slot, living } = await boot(store, { versions: [version(2)], settings: { probationFrames: 1e6 } });
    store.publish(version(2).model);
    const checking = updater.check();
    await expect.poll(() => slot.current.manifest.version).toBe(2);
    await updater.rollback();
    expect(await checking).toMatchObject({ result: "rolled-back", refusal: "asked" });
    expect(slot.current.manifest.version).toBe(1);
    expect(living.size).toBe(1);
    expect(store.marks).toEqual(["2 trial", "2 bad"]);
  });

  it("opens the last good version again when the probation is over, once for two who ask", async () => {
    const { updater, slot, living, store, events } = await offer(version(2));
    await Promise.all([updater.rollback(), updater.rollback()]);
    expect(slot.current.manifest.version).toBe(1);
    expect(living.size).toBe(1);
    expect(store.marks).toEqual(["2 trial", "2 good", "2 bad"]);
    expect(events.at(-1)).toMatchObject({ type: "update-rolled-back", from: 2, to: 1, refusal: "asked" });
    expect(await updater.check()).toEqual({ result: "known-bad", version: 2 });
  });

  it("says so where there is no version to go back to, and leaves all as it was", async () => {
    const store = memoryModelStore(version(1, { op: "Add" }).model);
    const { updater, slot, living } = await boot(store, { versions: [], camera: false });
    await expect(updater.rollback()).rejects.toMatchObject({ code: "model-unreadable", message: expect.stringContaining("expected another good version") });
    expect([slot.current.manifest.version, living.size, store.marks]).toEqual([1, 1, []]);
  });
});
