import { SednaError } from "@sedna-js/core";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundledWorker } from "../../../../testing/workers/bundled-worker.ts";
import { memoryModelStore } from "../../../../testing/fakes/memory-model-store.ts";
import type { Faults } from "../../../../testing/workers/update-worker.ts";
import {
  updatingAgent,
  version,
  type UpdatingAgentOptions,
} from "../../../../testing/fakes/updating-agent.ts";
import type { VerifiedModel } from "../models/model-store.ts";
import type { UpdateEvent } from "./update-events.ts";
import type { UpdaterSettings } from "./updater-settings.ts";

let createWorker: () => Worker;
beforeAll(async () => {
  createWorker = await bundledWorker(
    new URL("../../../../testing/workers/update-worker.ts", import.meta.url),
  );
}, 30_000);

const open: { end(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.end();
});
/** A long timeout: other tests share the machine. */
const poll = <T>(read: () => T) => expect.poll(read, { interval: 1, timeout: 20_000 });
const firstStore = () => memoryModelStore(version(1, { op: "Add" }));
const boot = async (options: Omit<UpdatingAgentOptions, "createWorker">) => {
  const agent = await updatingAgent({ createWorker, ...options });
  open.push(agent);
  return agent;
};
/** A delay of 50 ms per frame must be detected. */
const sensitive = (rejection: string): UpdaterSettings =>
  rejection.includes("slower") ? { latencySlackMs: 10 } : {};
/** Publishes a version and checks once. */
const offer = async (offered: VerifiedModel, options: Partial<UpdatingAgentOptions> = {}) => {
  const store = firstStore();
  const agent = await boot({ store, ...options });
  store.publish(offered);
  return { store, ...agent, outcome: await agent.updater.check() };
};

describe("C14: hot update", { timeout: 30_000 }, () => {
  it("C14: installs a good model between two frames: no frame is dropped, and each result comes from one of the two models", async () => {
    const { answers, events, outcome, store, workers, slot, end, types } = await offer(
      version(2, { golden: [3, 9] }),
    );
    expect(outcome).toEqual({ result: "confirmed", version: 2 });
    expect(types()).toEqual([
      "update-found",
      "update-staged",
      "update-checked",
      "update-shadowed",
      "update-swapped",
      "update-confirmed",
    ]);
    expect(events).toMatchObject([
      { from: 1, version: 2 },
      {},
      { goldenCases: 1 },
      { frames: 5, agreement: expect.closeTo(0.8) },
      { from: 1, version: 2 },
      { frames: expect.any(Number) },
    ]);
    expect(slot.current.manifest.version).toBe(2);
    expect(workers.size).toBe(1);
    await end();
    expect(answers.map(({ index }) => index)).toEqual(answers.map((_, i) => i));
    const values = answers.map(({ value }) => value);
    const swap = values.indexOf(9);
    expect(values).toEqual([...values.slice(0, swap).fill(6), ...values.slice(swap).fill(9)]);
    expect(swap).toBeGreaterThan(0);
    expect(values.length - swap).toBeGreaterThanOrEqual(30);
    expect(store.marks).toEqual(["2 trial", "2 good"]);
  });

  const rejected: [name: string, rejection: string, offered: () => VerifiedModel][] = [
    [
      "whose outputs are NaN on its golden inputs",
      "golden-mismatch",
      () => version(2, { op: "Sqrt", onnx: { inputs: 1 }, golden: [-3, 9] }),
    ],
    [
      "whose outputs are NaN on live frames",
      "shadow-errors",
      () => version(2, { op: "Acos", onnx: { inputs: 1 } }),
    ],
    [
      "whose inputs have other names than its manifest promises",
      "does-not-open",
      () => version(2, { manifest: { inputs: [{ name: "image", dtype: "float32", shape: [-1, 4] }] } }),
    ],
    [
      "that is not ONNX",
      "does-not-open",
      () => version(2, { file: new TextEncoder().encode("<!doctype html>") as Uint8Array<ArrayBuffer> }),
    ],
    ["with wrong outputs on its golden inputs", "golden-mismatch", () => version(2, { golden: [3, 6] })],
    [
      "that is correct on its golden inputs and worse on live frames",
      "shadow-disagrees",
      () => version(2, { op: "Neg", onnx: { inputs: 1 }, golden: [0, 0] }),
    ],
    ["that is slower", "shadow-slower", () => version(2, { faults: { fault: "slow" } })],
    [
      "that throws on every third frame",
      "shadow-errors",
      () => version(2, { faults: { fault: "refuse", every: 3 } }),
    ],
    [
      "whose Worker crashes on live frames",
      "shadow-errors",
      () => version(2, { faults: { fault: "crash", every: 4 } }),
    ],
  ];
  it.each(rejected)(
    "C14: a model %s is rejected with %s; its results are never used, and it leaves nothing behind",
    async (_name, rejection, offered) => {
      const { answers, outcome, store, workers, slot, events, updater, end } = await offer(offered(), {
        settings: sensitive(rejection),
      });
      expect(outcome).toMatchObject({ result: "rejected", version: 2, rejection });
      expect(events.at(-1)).toMatchObject({
        type: "update-rejected",
        model: "tiny",
        version: 2,
        rejection,
        error: { message: expect.stringMatching(/expected|fault|worker/) },
      });
      expect(store.marks).toEqual(["2 bad"]);
      expect(slot.current.manifest.version).toBe(1);
      await poll(() => workers.size).toBe(1);
      const told = events.length;
      expect(await updater.check()).toEqual({ result: "known-bad", version: 2 });
      expect(events.length).toBe(told);
      await end();
      expect(answers.every(({ value }) => value === 6)).toBe(true);
    },
  );

  const rolledBack: [name: string, rejection: string, faults: Faults][] = [
    ["that throws on every third frame after the swap", "errors", { fault: "refuse", every: 3, from: 6 }],
    ["that becomes slower after the swap", "slower", { fault: "slow", from: 6 }],
    ["whose Worker crashes repeatedly after the swap", "errors", { fault: "crash", from: 8 }],
  ];
  it.each(rolledBack)("C14: a model %s is rolled back with %s", async (_name, rejection, faults) => {
    const { answers, outcome, store, workers, slot, events, end } = await offer(version(2, { faults }), {
      settings: sensitive(rejection),
    });
    expect(outcome).toMatchObject({ result: "rolled-back", version: 2, rejection });
    expect(events.at(-1)).toMatchObject({ type: "update-rolled-back", from: 2, to: 1, rejection });
    expect(store.marks).toEqual(["2 trial", "2 bad"]);
    expect(slot.current.manifest.version).toBe(1);
    await poll(() => workers.size).toBe(1);
    const before = answers.length;
    await poll(() => answers.length).toBeGreaterThan(before + 3);
    await end();
    expect(answers.at(-1)!.value).toBe(6);
    expect(answers.map(({ index }) => index)).toEqual(answers.map((_, i) => i));
  });

  it("C14: rolls back a version if the watched metric falls", async () => {
    const metric = { value: 0.8 };
    const store = firstStore();
    const agent = await boot({ store, metric: () => metric.value });
    store.publish(version(2));
    agent.slot.watch(({ result }) => (metric.value = result?.["y"]!.data[0] === 9 ? 0.6 : 0.8));
    expect(await agent.updater.check()).toMatchObject({
      result: "rolled-back",
      rejection: "metric",
      error: {
        message: expect.stringContaining("expected the watched metric to stay at 0.72 or above; got 0.6"),
      },
    });
  });

  it("confirms a version by golden inputs and time alone if there are no frames, and reports it", async () => {
    const { outcome, events } = await offer(version(2, { golden: [3, 9] }), {
      camera: false,
      settings: { shadowMs: 30, probationMs: 30 },
    });
    expect(outcome).toEqual({ result: "confirmed", version: 2 });
    expect(events).toMatchObject([
      {},
      {},
      { goldenCases: 1 },
      { type: "update-shadowed", frames: 0 },
      {},
      { type: "update-confirmed", frames: 0 },
    ]);
    expect(events[3]).not.toHaveProperty("agreement");
  });

  it("installs a second and a third update, each with a higher version", async () => {
    const store = firstStore();
    const versions = [version(2), version(3, { op: "Add" }), version(4)];
    const { updater, events, workers, slot } = await boot({ store });
    for (const model of versions) {
      store.publish(model);
      expect(await updater.check()).toEqual({ result: "confirmed", version: model.manifest.version });
      expect(workers.size).toBe(1);
    }
    const swaps = events.filter((event) => event.type === "update-swapped");
    expect(swaps.map(({ from, version: to }) => [from, to])).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    store.publish(versions[1]!);
    expect(await updater.check()).toEqual({ result: "current", version: 3 });
    expect(slot.current.manifest.version).toBe(4);
  });

  it("checks again after an update for a version published meanwhile, one check at a time", async () => {
    const store = firstStore();
    const versions = [version(2), version(3, { op: "Add" })];
    const later: Promise<unknown>[] = [];
    const onEvent = (event: UpdateEvent): void => {
      if (event.type !== "update-swapped" || event.version !== 2) return;
      store.publish(versions[1]!);
      later.push(updater.check(), updater.check());
    };
    const { updater, slot } = await boot({ store, onEvent });
    store.publish(versions[0]!);
    const first = await updater.check();
    const [second, same] = later;
    expect(same).toBe(second);
    expect([first, await second]).toEqual([
      { result: "confirmed", version: 2 },
      { result: "confirmed", version: 3 },
    ]);
    expect(slot.current.manifest.version).toBe(3);
    expect(updater.state).toEqual({ stage: "idle" });
  });

  it("postpones an update on a network or storage failure, reports it once, and installs the version after recovery", async () => {
    const store = firstStore();
    const { updater, types, workers } = await boot({ store });
    store.publish(version(2));
    const offline = new SednaError("fetch the manifest: expected a response; the network failed", {
      code: "model-unreadable",
      retryable: true,
      retryAfterMs: 70,
    });
    const full = new SednaError("store the version state: expected free space; the disk is full", {
      code: "storage-full",
    });
    for (const [call, failure] of [
      ["check", offline],
      ["check", offline],
      ["install", offline],
      ["mark", full],
    ] as const) {
      store.failures[call] = failure;
      expect(await updater.check()).toMatchObject({ result: "postponed", error: { code: failure.code } });
      expect(workers.size).toBe(1);
    }
    expect(await updater.check()).toEqual({ result: "confirmed", version: 2 });
    expect(types().filter((type) => type === "update-postponed" || type === "update-found")).toEqual([
      "update-postponed",
      "update-found",
      "update-postponed",
      "update-postponed",
    ]);
    expect(store.marks).toEqual(["2 trial", "2 good"]);
  });

  it.each([
    ["model-untrusted", "untrusted"],
    ["model-mismatch", "does-not-open"],
    ["model-outdated", "outdated"],
    ["model-unreadable", "unreadable"],
  ] as const)(
    "rejects an update that the store reports as %s, and marks no version as bad",
    async (code, rejection) => {
      const store = firstStore();
      const { updater, events } = await boot({ store, camera: false });
      store.publish(version(2));
      for (let i = 0; i < 2; i++) {
        store.failures.check = new SednaError("verify the manifest", { code });
        expect(await updater.check()).toMatchObject({ result: "rejected", rejection });
      }
      expect(events).toEqual([
        { type: "update-rejected", model: "tiny", rejection, error: expect.objectContaining({ code }) },
      ]);
      expect(store.marks).toEqual([]);
    },
  );

  it("marks a version good at the next check if the storage failed", async () => {
    const store = firstStore();
    const failNext = ({ type }: UpdateEvent): void => {
      if (type === "update-swapped")
        store.failures.mark = new SednaError("store the version state", { code: "storage-failed" });
    };
    const { updater, types, events } = await boot({
      store,
      camera: false,
      settings: { shadowMs: 5, probationMs: 5 },
      onEvent: failNext,
    });
    store.publish(version(2));
    expect(await updater.check()).toMatchObject({ result: "postponed" });
    expect(types()).not.toContain("update-confirmed");
    expect(await updater.check()).toEqual({ result: "current", version: 2 });
    expect(store.marks).toEqual(["2 trial", "2 good"]);
    expect(events.at(-1)).toEqual({ type: "update-confirmed", model: "tiny", version: 2, frames: 0 });
    expect(await updater.check()).toEqual({ result: "current", version: 2 });
    expect(types().filter((type) => type === "update-confirmed")).toHaveLength(1);
  });

  it.each(["installing", "staging", "shadowing", "probation"] as const)(
    "C14: if the agent ends during %s, the next start loads the last known good version, and then installs the update",
    async (stage) => {
      const store = firstStore();
      const versions = [version(2)];
      const first = await boot({
        store,
        settings: { probationFrames: 1e6, ...(stage === "shadowing" && { shadowFrames: 1e6 }) },
      });
      store.publish(versions[0]!);
      const install = store.install.bind(store);
      store.install = async (options) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return install(options);
      };
      const checking = first.updater.check().catch((error: unknown) => error);
      await poll(() => first.updater.state.stage).toBe(stage);
      await first.end();
      expect(await checking).toMatchObject({ code: "disposed" });
      await poll(() => first.workers.size).toBe(0);

      expect((await store.current())!.manifest.version).toBe(1);
      const second = await boot({ store });
      expect(second.slot.current.manifest.version).toBe(1);
      expect(await second.updater.check()).toEqual({ result: "confirmed", version: 2 });
    },
  );

  it("C14: finally rejects a version whose process ends in each of its trials", async () => {
    const store = firstStore();
    store.publish(version(2));
    for (let start = 0; start < 3; start++) {
      const life = await boot({ store, settings: { probationFrames: 1e6 } });
      const checking = life.updater.check().catch(() => {});
      await poll(() => life.updater.state.stage).toBe("probation");
      await life.end();
      await checking;
    }
    const last = await boot({ store, camera: false });
    expect(await last.updater.check()).toMatchObject({
      result: "rejected",
      version: 2,
      rejection: "errors",
      error: { message: expect.stringContaining("3 of them") },
    });
    expect(store.marks.at(-1)).toBe("2 bad");
  });
});

describe("rollback()", { timeout: 30_000 }, () => {
  it("ends a probation at once", async () => {
    const store = firstStore();
    const { updater, slot, workers } = await boot({ store, settings: { probationFrames: 1e6 } });
    store.publish(version(2));
    const checking = updater.check();
    await poll(() => slot.current.manifest.version).toBe(2);
    await updater.rollback();
    expect(await checking).toMatchObject({ result: "rolled-back", rejection: "asked" });
    expect(slot.current.manifest.version).toBe(1);
    expect(workers.size).toBe(1);
    expect(store.marks).toEqual(["2 trial", "2 bad"]);
  });

  it("rolls back nothing in a disposed slot, and reports it", async () => {
    const store = firstStore();
    const { updater, slot, workers, types } = await boot({
      store,
      camera: false,
      settings: { shadowMs: 5, probationMs: 20_000 },
    });
    store.publish(version(2));
    const checking = updater.check();
    await poll(() => updater.state.stage).toBe("probation");
    await slot.dispose();
    await updater.rollback().catch(() => {});
    expect(await checking).toMatchObject({ result: "postponed", error: { code: "disposed" } });
    expect(types()).not.toContain("update-rolled-back");
    await poll(() => workers.size).toBe(0);
  });

  it("reopens the last good version after the probation, once for two concurrent calls", async () => {
    const { updater, slot, workers, store, events } = await offer(version(2));
    await Promise.all([updater.rollback(), updater.rollback()]);
    expect(slot.current.manifest.version).toBe(1);
    expect(workers.size).toBe(1);
    expect(store.marks).toEqual(["2 trial", "2 good", "2 trial", "2 bad"]);
    expect(events.at(-1)).toMatchObject({ type: "update-rolled-back", from: 2, to: 1, rejection: "asked" });
    expect(await updater.check()).toEqual({ result: "known-bad", version: 2 });
  });

  it("rolls back to a first version that was never marked, because it ran", async () => {
    const store = firstStore();
    await store.mark(1, "installed");
    const { updater, slot } = await boot({ store });
    store.publish(version(2));
    await updater.check();
    await updater.rollback();
    expect(slot.current.manifest.version).toBe(1);
    expect(store.marks).toEqual(["1 installed", "1 good", "2 trial", "2 good", "2 trial", "2 bad"]);
  });

  it("changes nothing if the last good version cannot be opened: the running version keeps its files", async () => {
    const { updater, slot, workers, store, types } = await offer(version(2));
    store.lastGood = async () =>
      version(1, { file: new TextEncoder().encode("no ONNX") as Uint8Array<ArrayBuffer> });
    await expect(updater.rollback()).rejects.toMatchObject({ code: "edge-unavailable" });
    expect([slot.current.manifest.version, types().at(-1)]).toEqual([2, "update-confirmed"]);
    await poll(() => workers.size).toBe(1);
    // A store deletes the files of a bad version.
    expect(store.marks).toEqual(["2 trial", "2 good", "2 trial", "2 good"]);
  });

  it("rejects if there is no version to roll back to, and changes nothing", async () => {
    const store = firstStore();
    const { updater, slot, workers } = await boot({ store, camera: false });
    await expect(updater.rollback()).rejects.toMatchObject({
      code: "model-unreadable",
      message: expect.stringContaining("expected another good version"),
    });
    expect([slot.current.manifest.version, workers.size, store.marks]).toEqual([1, 1, []]);
  });
});
