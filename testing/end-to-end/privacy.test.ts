import {
  bigModelService,
  createCloud,
  memorySamples,
  sampleService,
  serve,
  sharpDecoder,
} from "@sedna-js/cloud";
import { createJointInference, type Detections, type Frame } from "@sedna-js/core";
import { writeSampleUpload } from "@sedna-js/core/wire";
import { bigModel } from "@sedna-js/edge-agent";
import sharp from "sharp";
import { expect, it } from "vitest";
import { frameOfPixels } from "../../packages/edge-agent/src/frames/platform.node.ts";
import type { PrivacyLevel, PrivacyPolicy } from "../../packages/edge-agent/src/privacy/privacy-policy.ts";
import { privateBigModel } from "../../packages/edge-agent/src/privacy/private-big-model.ts";
import { sampleForQueue } from "../../packages/edge-agent/src/privacy/sample-for-queue.ts";
import { createSender } from "../../packages/edge-agent/src/queue/create-sender.ts";
import { arrayQueue } from "../fakes/array-queue.ts";
import { faultProxy } from "../servers/fault-proxy.ts";
import { pictureSizes, violations } from "../checkers/history-checker.ts";
import { detector } from "../servers/served.ts";

// A proxy inspects every byte that leaves the device: requests to the big model and stored samples. The
// person in the frame wears stripes that are recognizable wherever their pixels are.

const size = { width: 160, height: 120 };
const person = [40, 30, 90, 100, 0.6, 0] as const;
const stripes = Uint8ClampedArray.from({ length: 4 * size.width * size.height }, (_, i) => {
  const [x, y] = [(i >> 2) % size.width, Math.floor((i >> 2) / size.width)];
  const isPerson = x >= person[0] && x < person[2] && y >= person[1] && y < person[3];
  return i % 4 === 3 ? 255 : isPerson ? (x % 4 < 2 ? 255 : 0) : 120;
});

/** Runs one frame through the whole system and returns what left the device. */
async function leaving(
  policy: PrivacyPolicy<Frame, Detections>,
): Promise<{ sent: Buffer[]; source: string; storedNumber: number }> {
  const store = memorySamples();
  const big = bigModelService({
    estimator: detector(async () => [[1, 2, 3, 4, 0.9, 0]]),
    decodeImage: sharpDecoder(),
  });
  const cloud = createCloud({ services: [big, sampleService({ store })] });
  await cloud.start();
  const serving = await serve(cloud, { port: 0, drainMs: 200 });
  const proxy = await faultProxy(serving.url);
  const joint = createJointInference({
    estimator: detector(async () => [person]),
    hardExampleMining: () => true,
    bigModel: privateBigModel(bigModel({ url: proxy.url }), policy),
    deadlineMs: 5000,
  });
  const frame = await frameOfPixels({ ...size, data: stripes });
  const queue = arrayQueue();
  const sender = createSender({ queue, url: proxy.url });

  const { source, edgeResult } = await joint.inference(frame);
  const sample = await sampleForQueue({ frame, result: edgeResult, policy });
  if (sample) {
    const { bytes, ...note } = sample;
    queue.add(writeSampleUpload({ head: { ...note, device: "cam", reason: "hard" }, payload: bytes }));
  }
  await sender.flush();
  await sender.stop();
  const { ids } = await store.list({ limit: 10 });
  const sent = proxy.received();
  await proxy.close();
  await serving.close();
  return { sent, source, storedNumber: ids.length };
}

/** Counts strong edges in each JPEG picture in the bytes. */
async function stripesIn(sent: readonly Buffer[]): Promise<number[]> {
  const counts: number[] = [];
  for (const bytes of sent) {
    for (let at = bytes.indexOf("ffd8ff", "hex"); at >= 0; at = bytes.indexOf("ffd8ff", at + 1, "hex")) {
      const { data, info } = await sharp(bytes.subarray(at), { failOn: "none" })
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true });
      counts.push(
        data.filter((value, i) => i % info.width > 1 && Math.abs(value - data[i - 2]!) > 100).length,
      );
    }
  }
  return counts;
}
const forbidden = {
  frames: [size],
  pixels: [Uint8Array.from(stripes.subarray(4 * (50 * size.width + 40), 4 * (50 * size.width + 80)))],
};
const check = (sent: readonly Uint8Array[]): string[] =>
  violations({ taken: [], acknowledged: [], stored: [], sent, forbidden });

it.each<[string, PrivacyPolicy<Frame, Detections>]>([
  ["never", { level: "never" }],
  ["full without consent", { level: "full", consent: () => false }],
])("with %s nothing leaves the device, not even a connection", async (_, policy) => {
  expect(await leaving(policy)).toEqual({ sent: [], source: "fallback", storedNumber: 0 });
});

it("with features only numbers leave the device", async () => {
  const { sent, source, storedNumber } = await leaving({ level: "features" });
  expect([source, storedNumber, sent.length]).toEqual(["fallback", 1, 1]);
  expect(sent.flatMap(pictureSizes)).toEqual([]);
  expect(check(sent)).toEqual([]);
  expect(sent[0]!.toString("latin1")).toContain('{"result":[[40,30,90,100,0.6,0]]}');
});

it("with crop no picture of the whole frame leaves the device", async () => {
  const { sent, source, storedNumber } = await leaving({ level: "crop" });
  expect([source, storedNumber]).toEqual(["cloud", 1]);
  expect(sent.flatMap(pictureSizes)).toEqual([
    { width: 64, height: 84 },
    { width: 64, height: 84 },
  ]);
  expect(check(sent)).toEqual([]);
});

it.each<[PrivacyLevel, boolean]>([
  ["blurred", false],
  ["full", true],
])("with %s the person is recognizable in the bytes that leave the device: %s", async (level, isShown) => {
  const { sent, source, storedNumber } = await leaving({ level });
  expect([source, storedNumber]).toEqual(["cloud", 1]);
  expect(sent.flatMap(pictureSizes)).toEqual([size, size]);
  const counts = await stripesIn(sent);
  expect(counts).toHaveLength(2);
  for (const count of counts) expect(count > 1000).toBe(isShown);
  if (!isShown) expect(counts).toEqual([0, 0]);
  // The checker finds whole frames if they leave the device.
  expect(check(sent)).toHaveLength(2);
});
