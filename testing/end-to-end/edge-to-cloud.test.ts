import { bigModelService, createCloud, type Cloud } from "@sedna-js/cloud";
import {
  bigModel,
  localBigModel,
  tensors,
  classifier,
  onnxEstimator,
  type Detections,
  type Estimator,
  type Frame,
  type HttpBigModel,
  type Tensor,
  type Tensors,
} from "@sedna-js/edge-agent";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { tinyOnnx } from "../fakes/tiny-onnx.ts";

// The BigModel port in every implementation: the client against the service, in both protocols, with requests
// passed directly instead of sent; and the model that runs locally.

const rows: Detections = [
  [10, 20, 30, 40, 0.75, 0],
  [1, 2, 3, 4, 0.5, 7],
];
const detector: Estimator<Frame, Detections> = {
  load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
  // Boxes in the picture's own pixels: half the size if the picture is half as large.
  predict: async ({ width }) =>
    rows.map(
      ([x1, y1, x2, y2, score, label]) =>
        [(x1 * width) / 64, (y1 * width) / 64, (x2 * width) / 64, (y2 * width) / 64, score, label] as const,
    ),
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
};
const decodeImage = async (bytes: Uint8Array): Promise<Frame> => {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return pixelsFrame({ width: info.width, height: info.height, data }, { sharp: async () => sharp as never });
};
const frame = pixelsFrame(
  { width: 64, height: 48, data: new Uint8Array(4 * 64 * 48).fill(99) },
  { sharp: async () => sharp as never },
);
const doubling = (): Estimator<Tensors, Tensors> => onnxEstimator({ model: tinyOnnx(), task: tensors() });

const cloud = (async (): Promise<Cloud> => {
  const made = createCloud({
    services: [
      bigModelService({ name: "detector", estimator: detector, decodeImage }),
      bigModelService({ name: "double", estimator: doubling() }),
    ],
    token: "t0k",
  });
  await made.start();
  return made;
})();
const through = (protocol: "sedna" | "oip", model: string, options = {}): HttpBigModel =>
  bigModel({
    url: "http://cloud",
    protocol,
    model,
    token: "t0k",
    fetch: async (input, init) => (await cloud)(new Request(input as string, init as RequestInit)) as never,
    ...options,
  });
const call = { signal: new AbortController().signal, deadlineMs: 5000 };
const sample: Tensor = { dtype: "float32", shape: [4], data: Float32Array.of(1, 2, 3, 4) };

describe.each<["sedna" | "oip"]>([["sedna"], ["oip"]])("a big model through the protocol %s", (protocol) => {
  it("returns the detections of a frame", async () => {
    expect(await through(protocol, "detector").inference(frame, call)).toEqual(rows);
  });

  it("returns boxes in the frame's pixels if the picture is sent smaller and as WebP", async () => {
    const small = through(protocol, "detector", { image: { type: "image/webp", maxSide: 32 } });
    expect(await small.inference(frame, call)).toEqual(rows);
  });

  it("returns the model's output for one tensor", async () => {
    expect(await through(protocol, "double").inference(sample, call)).toEqual(Float32Array.of(2, 4, 6, 8));
  });

  it("reports the bytes transferred", async () => {
    const bytes: { up: number; down: number }[] = [];
    await through(protocol, "detector").inference(frame, { ...call, onTransfer: (one) => bytes.push(one) });
    expect(bytes).toEqual([{ up: expect.any(Number), down: expect.any(Number) }]);
    expect(bytes[0]!.up).toBeGreaterThan(100);
  });

  it("passes on the service's error for a sample that does not fit and for an unknown model", async () => {
    const misfit: Tensor = { dtype: "float32", shape: [3], data: new Float32Array(3) };
    await expect(through(protocol, "double").inference(misfit, call)).rejects.toMatchObject({
      code: "cloud-refused",
      retryable: false,
      message: expect.stringContaining("expected x as float32 [-1,4]; got float32 [1,3]"),
    });
    await expect(through(protocol, "no-such-model").inference(sample, call)).rejects.toMatchObject({
      code: "cloud-refused",
      message: expect.stringContaining("no such route"),
    });
  });

  it("is rejected with a wrong token", async () => {
    await expect(
      through(protocol, "double", { token: "guess" }).inference(sample, call),
    ).rejects.toMatchObject({ code: "cloud-refused", message: expect.stringContaining("got 401") });
  });
});

it("the protocol oip carries a model's tensors by name, bit-exact", async () => {
  const data = Float32Array.of(0.1, -0, 3e38, Number.NaN);
  const { y } = await through("oip", "double").inference(
    { x: { dtype: "float32", shape: [1, 4], data } },
    call,
  );
  expect(y).toEqual({ dtype: "float32", shape: [1, 4], data: data.map((one) => one + one) });
});

it("a big model that runs locally returns the same result", async () => {
  const local = localBigModel(onnxEstimator<Tensor, Float32Array>({ model: tinyOnnx(), task: classifier() }));
  expect(await local.inference(sample, call)).toEqual(Float32Array.of(2, 4, 6, 8));
});
