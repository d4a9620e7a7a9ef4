import type { Tensors } from "@sedna-js/core";
import { onnxEstimator, tensors } from "@sedna-js/edge-agent";
import { afterEach, describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { frame } from "../../../../testing/fakes/updating-agent.ts";
import { verifiedModel } from "../../../../testing/fakes/verified-model.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { createModelSlot } from "./create-model-slot.ts";
import { resultAgreement } from "./result-agreement.ts";
import { shadowCandidate } from "./shadow-candidate.ts";
import { checkUpdaterSettings } from "./updater-settings.ts";

type Model = SupervisedModel<Tensors, Tensors>;
const open: { dispose(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.dispose();
});
/** A model that doubles its input. It reads a sample only after a delay, and can fail or report restarts. */
const model = ({
  delayMs = 0,
  failures = () => 0,
  fails = () => false,
}: { delayMs?: number; failures?: () => number; fails?: () => boolean } = {}): Model => {
  const inner = onnxEstimator({ model: tinyOnnx(), task: tensors() });
  open.push(inner);
  return {
    ...inner,
    async predict(sample, options) {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (fails()) throw new Error("a fault of the model");
      return inner.predict(sample, options);
    },
    manifest: verifiedModel().manifest,
    backend: "cpu",
    get failures() {
      return failures();
    },
  };
};
const shadow = ({
  current = model(),
  candidate,
  settings = {},
  signal = new AbortController().signal,
}: {
  current?: Model;
  candidate: Model;
  settings?: object;
  signal?: AbortSignal;
}) => {
  const slot = createModelSlot<Tensors, Tensors, Model>(current);
  const shadowing = shadowCandidate({
    slot,
    candidate,
    agreement: resultAgreement,
    settings: checkUpdaterSettings({ shadowFrames: 4, shadowMs: 10_000, latencySlackMs: 1000, ...settings }),
    now: () => performance.now(),
    signal,
  });
  let seen = true;
  void shadowing.catch(() => {}).finally(() => (seen = false));
  /** Runs frames that are overwritten after each result, for as long as the shadow runs. */
  const flow = async (): Promise<number> => {
    let frames = 0;
    for (; seen; frames++) {
      const sample = frame();
      await slot.predict(sample).catch(() => {});
      sample["x"]!.data.fill(-1 as never);
      await new Promise((resolve) => setTimeout(resolve));
    }
    return frames;
  };
  return { slot, shadowing, flow };
};

describe("shadowCandidate()", { timeout: 20_000 }, () => {
  it("gives the candidate copies of the frames, which their owner may overwrite, and delays no live result", async () => {
    const { shadowing, flow } = shadow({ candidate: model({ delayMs: 20 }) });
    const [{ verdict, summary }, frames] = await Promise.all([shadowing, flow()]);
    expect(verdict).toEqual({ decision: "accept" });
    expect(summary).toMatchObject({ frames: 4, agreement: 1 });
    expect(frames).toBeGreaterThan(8);
  });

  it("rejects a candidate that was restarted, unless the current model was restarted as well", async () => {
    let lost = 0;
    const loses = (): boolean => (lost++, false);
    const alone = shadow({ candidate: model({ failures: () => lost, fails: loses }) });
    const [{ verdict }] = await Promise.all([alone.shadowing, alone.flow()]);
    expect(verdict).toMatchObject({
      rejection: "shadow-errors",
      reason: expect.stringContaining("that was restarted"),
    });
    lost = 0;
    const both = shadow({
      current: model({ failures: () => lost }),
      candidate: model({ failures: () => lost, fails: loses }),
    });
    const [{ verdict: mild }] = await Promise.all([both.shadowing, both.flow()]);
    expect(mild).toEqual({ decision: "accept" });
  });

  it("skips frames on which the current model fails, and reports their share", async () => {
    let turn = 0;
    const { shadowing, flow } = shadow({
      current: model({ fails: () => turn++ % 2 === 0 }),
      candidate: model(),
    });
    const [{ verdict, current }] = await Promise.all([shadowing, flow()]);
    expect(verdict).toEqual({ decision: "accept" });
    expect(current.errorRate).toBeCloseTo(0.5, 0);
  });

  it("skips a sample that cannot be copied, and leaves nothing behind", async () => {
    const call = (): void => {};
    const current = { ...model(), predict: async () => ({ call }) as never };
    const { shadowing, slot } = shadow({ current, candidate: model(), settings: { shadowMs: 50 } });
    await slot.predict({ call } as never);
    // A copy already started would cause an unhandled rejection.
    expect((await shadowing).summary).toEqual({ frames: 0 });
  });

  it("treats a missing result as an error", async () => {
    const { shadowing, flow } = shadow({
      candidate: model({ delayMs: 5000 }),
      settings: { shadowRunMs: 30 },
    });
    const [{ verdict }] = await Promise.all([shadowing, flow()]);
    expect(verdict).toMatchObject({
      rejection: "shadow-errors",
      reason: expect.stringContaining("within 30 ms"),
    });
  });

  it("ends with the signal, and stops watching", async () => {
    const controller = new AbortController();
    const { shadowing, slot } = shadow({ candidate: model({ delayMs: 5000 }), signal: controller.signal });
    await slot.predict(frame());
    controller.abort(new Error("enough"));
    await expect(shadowing).rejects.toThrow("enough");
  });
});
