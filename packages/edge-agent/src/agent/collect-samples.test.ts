import type { Detections, Frame, JointResult } from "@sedna-js/core";
import { expect, it } from "vitest";
import { frameOfPixels } from "../frames/platform.node.ts";
import type { PrivacyLevel } from "../privacy/privacy-policy.ts";
import type { LifecycleEvent } from "./agent-events.ts";
import { collectSamples } from "./collect-samples.ts";

const rows: Detections = [[2, 2, 6, 6, 0.9, 0]];
const answerTo = (sample: Frame): JointResult<Detections, Frame> =>
  ({ sample, edgeResult: rows, reason: "hard" }) as JointResult<Detections, Frame>;

it("does not report a failure if the privacy policy finds nothing that may leave the device", async () => {
  const events: LifecycleEvent[] = [];
  const collector = collectSamples<Detections>({
    enqueue: () => Promise.reject(new Error("expected no item to be stored")),
    device: "gate",
    privacy: { level: "crop" },
    model: () => ({ name: "none", version: 0 }),
    onEvent: (event) => events.push(event),
  });
  const sample = await frameOfPixels({ width: 8, height: 8, data: new Uint8ClampedArray(256) });
  collector.collect({ ...answerTo(sample), edgeResult: [] });
  await collector.idle();
  expect(events).toEqual([]);
});

it.each<PrivacyLevel>(["features", "full"])(
  "loses no consecutive hard examples to a slow disk, but keeps its limits: %s",
  async (level) => {
    const writes: (() => void)[] = [];
    const events: LifecycleEvent[] = [];
    const enqueue = (): Promise<void> => new Promise((resolve) => writes.push(resolve));
    const collector = collectSamples<Detections>({
      enqueue,
      device: "gate",
      privacy: { level },
      model: () => ({ name: "none", version: 0 }),
      onEvent: (event) => events.push(event),
    });
    for (let i = 1; i <= 32; i++) {
      collector.collect(
        answerTo(await frameOfPixels({ width: 8, height: 8, data: new Uint8ClampedArray(256) })),
      );
      await expect.poll(() => writes.length, { interval: 1 }).toBe(i);
    }
    expect(events).toEqual([]);
    collector.collect(
      answerTo(await frameOfPixels({ width: 8, height: 8, data: new Uint8ClampedArray(256) })),
    );
    expect(events).toEqual([{ type: "sample-lost", reason: "busy" }]);
    for (const write of writes) write();
    await collector.idle();
    expect(writes).toHaveLength(32);
  },
);
