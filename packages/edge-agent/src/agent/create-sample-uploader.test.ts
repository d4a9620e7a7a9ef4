import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Detections, Frame, JointResult } from "@sedna-js/core";
import { readSampleUpload } from "@sedna-js/core/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { frameOfPixels } from "../frames/platform.node.ts";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { AgentEvent } from "./agent-events.ts";
import { createSampleUploader, type SampleUploader } from "./create-sample-uploader.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sedna-sending-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const rows: Detections = [[2, 2, 6, 6, 0.9, 0]];
const frameOf = (): Promise<Frame> =>
  frameOfPixels({ width: 40, height: 20, data: new Uint8ClampedArray(4 * 40 * 20).fill(90) });
const answerTo = (sample: Frame): JointResult<Detections, Frame> =>
  ({
    sample,
    edgeResult: rows,
    result: rows,
    isHardExample: true,
    reason: "hard",
    source: "edge",
    final: true,
  }) as JointResult<Detections, Frame>;

/** A device and its cloud. `got` lists the received samples as "kind width x height". */
const uploaderOf = (
  privacy: PrivacyPolicy<Frame, Detections>,
  { isOnline = true, model = { name: "none", version: 0 } } = {},
): {
  readonly sending: SampleUploader<Detections>;
  readonly got: string[];
  readonly events: AgentEvent[];
} => {
  const got: string[] = [];
  const events: AgentEvent[] = [];
  const fetch: typeof globalThis.fetch = async (_, init) => {
    if (!isOnline) throw new TypeError("the network is down");
    const { kind, width, height, model } = readSampleUpload(init!.body as Uint8Array).head;
    got.push(`${kind} ${width} x ${height}${model ? ` by ${model.version}` : ""}`);
    return Response.json({ stored: true }, { status: 201 });
  };
  const sending = createSampleUploader<Detections>({
    name: "gate",
    directory,
    samples: { url: "http://127.0.0.1:9", maxPerSecond: 1000 },
    privacy,
    fetch,
    model: () => ({ ...model }),
    emit: (event) => events.push(event),
  });
  return { sending, got, events };
};
const flush = async ({ sending, got }: ReturnType<typeof uploaderOf>): Promise<readonly string[]> => {
  await sending.flush({ signal: AbortSignal.timeout(5000) });
  await sending.stop({ graceMs: 1000 });
  return got;
};

describe("createSampleUploader()", () => {
  it("flushes samples collected before the queue was open", async () => {
    const one = uploaderOf({ level: "features" });
    one.sending.start();
    one.sending.collect(answerTo(await frameOf()));
    expect(await flush(one)).toEqual(["features 40 x 20"]);
  });

  it.each<[PrivacyPolicy<Frame, Detections>["level"], readonly string[]]>([
    ["full", ["full 40 x 20", "blurred 40 x 20", "crop 6 x 6", "features 40 x 20"]],
    ["blurred", ["blurred 40 x 20", "features 40 x 20"]],
    ["crop", ["crop 6 x 6", "features 40 x 20"]],
    ["features", ["features 40 x 20"]],
    ["never", []],
  ])("sends only the queued samples that the current privacy policy permits: %s", async (level, expected) => {
    const got: string[] = [];
    for (const earlier of ["full", "blurred", "crop", "features"] as const) {
      const { sending, events } = uploaderOf({ level: earlier }, { isOnline: false });
      sending.start();
      sending.collect(answerTo(await frameOf()));
      await expect.poll(() => events.some(({ type }) => type === "item-queued")).toBe(true);
      await sending.stop({ graceMs: 0 });
      const later = uploaderOf({ level });
      later.sending.start();
      const sent = await flush(later);
      got.push(...sent);
      // A sample that may not leave the device is removed from the disk as well.
      expect(later.events.filter(({ type }) => type === "upload-rejected")).toHaveLength(1 - sent.length);
      expect(later.sending.stats()?.items).toBe(0);
    }
    expect(got).toEqual(expected);
  });

  it("emits sample-lost for samples dropped before the queue was open: another tab leads, or the uploader stops", async () => {
    for (const end of [
      ({ leave }: SampleUploader<Detections>) => leave(),
      ({ stop }: SampleUploader<Detections>) => stop({ graceMs: 0 }),
    ]) {
      const { sending, events } = uploaderOf({ level: "features" });
      sending.collect(answerTo(await frameOf()));
      await sending.flush({});
      await end(sending);
      expect(events).toEqual([{ type: "sample-lost", reason: "no-queue" }]);
    }
  });

  it.each(["features", "full"] as const)(
    "names the model that evaluated a sample, even if another model replaces it meanwhile: %s",
    async (level) => {
      const model = { name: "gate", version: 1 };
      const one = uploaderOf({ level }, { model });
      one.sending.start();
      one.sending.collect(answerTo(await frameOf()));
      model.version = 2;
      expect(await flush(one)).toEqual([`${level} 40 x 20 by 1`]);
    },
  );

  it("evaluates consent and regions on the original frame, not on its copy", async () => {
    const shown = await frameOf();
    const hidden = await frameOf();
    const one = uploaderOf({
      level: "crop",
      consent: (frame) => frame !== hidden,
      regions: (frame) => (frame === shown ? [Float32Array.of(10, 10, 20, 20)] : [[0, 0, 40, 20]]),
    });
    one.sending.start();
    one.sending.collect(answerTo(hidden));
    one.sending.collect(answerTo(shown));
    expect(await flush(one)).toEqual(["crop 12 x 11"]);
  });
});
