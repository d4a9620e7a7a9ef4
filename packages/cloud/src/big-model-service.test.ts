import { formatInferRequest, INFERENCE_HEADER_LENGTH, parseInferResponse, tensors, type Detections, type Estimator, type Frame, type Tensors } from "@sedna-js/core";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../testing/tiny-onnx.ts";
import { bigModelService } from "./big-model-service.ts";
import { createCloud, type Cloud, type CloudOptions } from "./create-cloud.ts";
import { onnxBytes, sharpDecoder } from "./onnx.node.ts";
import { serve } from "./serve.node.ts";

/** A real model, y = x + x, FP32 [n,4], behind a cloud. */
async function doubling(options: Partial<CloudOptions> = {}): Promise<Cloud> {
  const estimator = onnxBytes({ model: tinyOnnx(), task: tensors() });
  const cloud = createCloud({ services: [bigModelService({ estimator, callbacks: { first: (result) => result.slice(0, 1) } })], ...options });
  await cloud.start();
  return cloud;
}
/** A detector that answers what it is told to. */
const detector = (predict: (frame: Frame) => Promise<Detections>): Estimator<Frame, Detections> => ({
  load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
  predict,
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
});
const at = (path: string, init?: RequestInit): Request => new Request(`http://cloud${path}`, init);
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Request => at(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

describe("Sedna's REST", () => {
  it("lists its routes", async () => {
    const cloud = await doubling();
    expect(await (await cloud(at("/sedna"))).json()).toEqual({ infos: [{ path: "/sedna", name: "model_info" }, { path: "/sedna/predict", name: "predict" }] });
  });

  it("answers what Sedna's client posts, unknown keys and all", async () => {
    const cloud = await doubling();
    const response = await cloud(post("/sedna/predict", { data: [[1, 2, 3, 4], [5, 6, 7, 8]], post_process: null, extra: 1 }));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ result: [[2, 4, 6, 8], [10, 12, 14, 16]] });
  });

  it("applies a callback that it knows and answers 500 to one that it does not, as Sedna", async () => {
    const cloud = await doubling();
    const data = [[1, 2, 3, 4], [5, 6, 7, 8]];
    expect(await (await cloud(post("/sedna/predict", { data, callback: "first" }))).json()).toEqual({ result: [[2, 4, 6, 8]] });
    const unknown = await cloud(post("/sedna/predict", { data, callback: "nms" }));
    expect([unknown.status, await unknown.text()]).toEqual([500, "Internal Server Error"]);
  });

  it.each([
    ["a string as data", { data: "notalist" }, [{ loc: ["body", "data"], msg: "value is not a valid list", type: "type_error.list" }]],
    ["no data", {}, [{ loc: ["body", "data"], msg: "field required", type: "value_error.missing" }]],
  ])("answers 422 in pydantic's words to %s", async (_, body, detail) => {
    const response = await (await doubling())(post("/sedna/predict", body));
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({ detail });
  });

  it.each([
    ["ragged lists", [[1, 2, 3, 4], [1]], "expected 4 entries on axis 1"],
    ["words", [["a", "b", "c", "d"]], 'expected numbers; got "a"'],
    ["a shape that does not fit", [[1, 2, 3]], "expected x as float32 [-1,4]; got float32 [1,3]"],
  ])("answers 422 and what was expected to %s", async (_, data, message) => {
    const response = await (await doubling())(post("/sedna/predict", { data }));
    expect(response.status).toBe(422);
    expect(JSON.stringify(await response.json())).toContain(JSON.stringify(message).slice(1, -1));
  });

  it("answers 405 to GET on predict and 422 to JSON that is none", async () => {
    const cloud = await doubling();
    expect((await cloud(at("/sedna/predict"))).status).toBe(405);
    expect((await cloud(at("/sedna/predict", { method: "POST", body: "{not json" }))).status).toBe(422);
  });
});

describe("the Open Inference Protocol", () => {
  it("tells of health and metadata", async () => {
    const cloud = await doubling();
    expect((await cloud(at("/v2/health/live"))).status).toBe(200);
    expect((await cloud(at("/v2/health/ready"))).status).toBe(200);
    expect((await cloud(at("/v2/models/sedna/ready"))).status).toBe(200);
    expect(await (await cloud(at("/v2"))).json()).toMatchObject({ extensions: ["binary_tensor_data"] });
    expect(await (await cloud(at("/v2/models/sedna"))).json()).toEqual({
      name: "sedna",
      versions: ["1"],
      platform: "onnxruntime_onnx",
      inputs: [{ name: "x", datatype: "FP32", shape: [-1, 4] }],
      outputs: [{ name: "y", datatype: "FP32", shape: [-1, 4] }],
    });
  });

  it("infers from JSON, flat or nested", async () => {
    const cloud = await doubling();
    for (const data of [[1, 2, 3, 4], [[1, 2, 3, 4]]]) {
      const response = await cloud(post("/v2/models/sedna/infer", { id: "7", inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data }] }));
      expect(await response.json()).toEqual({ id: "7", model_name: "sedna", model_version: "1", outputs: [{ name: "y", datatype: "FP32", shape: [1, 4], data: [2, 4, 6, 8] }] });
    }
  });

  it("infers the same from binary tensors, to the bit", async () => {
    const cloud = await doubling();
    const data = Float32Array.of(0.1, -2.5, 3e30, Number.NaN);
    const { body, headerLength } = formatInferRequest({ inputs: { x: { dtype: "float32", shape: [1, 4], data } } });
    const response = await cloud(at("/v2/models/sedna/infer", { method: "POST", headers: { [INFERENCE_HEADER_LENGTH]: String(headerLength) }, body }));
    const { outputs } = parseInferResponse(new Uint8Array(await response.arrayBuffer()), Number(response.headers.get(INFERENCE_HEADER_LENGTH)));
    expect(outputs["y"]).toEqual({ dtype: "float32", shape: [1, 4], data: data.map((one) => one + one) });
  });

  it.each([
    ["a missing input", { inputs: [{ name: "z", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }] }, "expected the inputs x; got z"],
    ["a wrong shape", { inputs: [{ name: "x", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] }] }, "expected x as float32 [-1,4]; got float32 [1,3]"],
    ["a wrong count", { inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1] }] }, "expected 4 elements for shape [1,4]; got 1"],
    ["an unknown datatype", { inputs: [{ name: "x", shape: [1], datatype: "FP8", data: [1] }] }, 'got \\"FP8\\"'],
    ["no inputs", {}, "expected inputs as a list of tensors; got undefined"],
    ["an input too many", { inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }, { name: "z", shape: [1], datatype: "FP32", data: [1] }] }, "expected the inputs x; got x, z"],
    ["an unknown output", { inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }], outputs: [{ name: "q" }] }, "expected outputs of y"],
  ])("answers 400 and what was expected to %s", async (_, body, message) => {
    const response = await (await doubling())(post("/v2/models/sedna/infer", body));
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
  });

  it("answers as JSON the output that says so, though the request asks for binary", async () => {
    const inputs = [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }];
    const response = await (await doubling())(post("/v2/models/sedna/infer", { inputs, parameters: { binary_data_output: true }, outputs: [{ name: "y", parameters: { binary_data: false } }] }));
    expect(await response.json()).toMatchObject({ outputs: [{ data: [2, 4, 6, 8] }] });
  });

  it("does not write NaN or infinity as null", async () => {
    const inputs = [{ name: "x", shape: [1, 4], datatype: "FP32", data: [3e38, 0, 0, 0] }];
    const response = await (await doubling())(post("/v2/models/sedna/infer", { inputs }));
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("got Infinity. Ask for binary output")]);
  });

  it("batches requests that come together into one run", async () => {
    const estimator = onnxBytes({ model: tinyOnnx(), task: tensors() }) as Estimator<Tensors, Tensors>;
    const sizes: number[] = [];
    const counting = { ...estimator, predictBatch: (samples: readonly Tensors[]) => (sizes.push(samples.length), estimator.predictBatch!(samples)) };
    const cloud = createCloud({ services: [bigModelService({ estimator: counting })] });
    await cloud.start();
    const infer = async (value: number): Promise<unknown> => {
      const response = await cloud(post("/v2/models/sedna/infer", { inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [value, 0, 0, 0] }] }));
      return ((await response.json()) as { outputs: { data: number[] }[] }).outputs[0]!.data[0];
    };
    expect(await Promise.all([1, 2, 3, 4].map(infer))).toEqual([2, 4, 6, 8]);
    expect(sizes).toEqual([4]);
  });
});

describe("pictures", () => {
  const rows: Detections = [[1, 2, 3, 4, 0.5, 0]];
  const cloud = async (predict = async (_: Frame): Promise<Detections> => rows): Promise<Cloud> => {
    const decodeImage = async (bytes: Uint8Array): Promise<Frame> => {
      if (bytes[0] !== 0xff) throw new TypeError("decode a picture: expected JPEG; got something else");
      return { width: 2, height: 1, timestamp: 0, copyTo: async () => {}, encode: () => Promise.reject(new Error("not needed")), close() {} };
    };
    const made = createCloud({ services: [bigModelService({ estimator: detector(predict), decodeImage })] });
    await made.start();
    return made;
  };

  it("come encoded to predict", async () => {
    const response = await (await cloud())(at("/sedna/predict", { method: "POST", headers: { "content-type": "image/jpeg" }, body: Uint8Array.of(0xff) }));
    expect(await response.json()).toEqual({ result: [[1, 2, 3, 4, 0.5, 0]] });
  });

  it("come as nested lists of pixels, as from Sedna's client", async () => {
    const seen: number[][] = [];
    const answer = await cloud(async (frame) => {
      const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
      await frame.copyTo(pixels);
      seen.push([...pixels]);
      return rows;
    });
    expect((await answer(post("/sedna/predict", { data: [[[1, 2, 3], [4, 5, 6]]] }))).status).toBe(200);
    expect(seen).toEqual([[1, 2, 3, 255, 4, 5, 6, 255]]);
  });

  it("come as BYTES to infer", async () => {
    const { body, headerLength } = formatInferRequest({ inputs: { image: { dtype: "bytes", shape: [1], data: [Uint8Array.of(0xff)] } } });
    const response = await (await cloud())(at("/v2/models/sedna/infer", { method: "POST", headers: { [INFERENCE_HEADER_LENGTH]: String(headerLength) }, body }));
    const { outputs } = parseInferResponse(new Uint8Array(await response.arrayBuffer()), Number(response.headers.get(INFERENCE_HEADER_LENGTH)));
    expect(outputs["detections"]).toEqual({ dtype: "float32", shape: [1, 6], data: Float32Array.of(1, 2, 3, 4, 0.5, 0) });
  });

  it("that unpack to gigabytes are refused before they do", async () => {
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: "white" } }).png({ compressionLevel: 9 }).toBuffer();
    const made = createCloud({ services: [bigModelService({ estimator: detector(async () => rows), decodeImage: sharpDecoder() })] });
    await made.start();
    const response = await made(at("/sedna/predict", { method: "POST", headers: { "content-type": "IMAGE/PNG" }, body: new Uint8Array(bomb) }));
    expect([response.status, await response.text()]).toEqual([422, expect.stringContaining("pixel limit")]);
  }, 30_000);

  it("that are none get 422, not 500", async () => {
    const response = await (await cloud())(at("/sedna/predict", { method: "POST", headers: { "content-type": "image/jpeg" }, body: "<html>" }));
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("expected JPEG");
  });
});

describe("limits and access", () => {
  it("answers 503 with Retry-After when the queue is full, and loses none that it took", async () => {
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const estimator = detector(async () => (await gate, []));
    const decodeImage = async (): Promise<Frame> => ({ width: 1, height: 1, timestamp: 0, copyTo: async () => {}, encode: () => Promise.reject(new Error("")), close() {} });
    const cloud = createCloud({ services: [bigModelService({ estimator, decodeImage, maxQueue: 1, maxBatch: 1 })] });
    await cloud.start();
    const ask = (): Promise<Response> => cloud(at("/sedna/predict", { method: "POST", headers: { "content-type": "image/jpeg" }, body: "x" })) as Promise<Response>;
    const first = ask();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const second = ask();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const third = await ask();
    expect(third.status).toBe(503);
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    open();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });

  it("answers 413 to a body over the limit, announced or not", async () => {
    const cloud = await doubling({ maxBodyBytes: 100 });
    const announced = await cloud(at("/sedna/predict", { method: "POST", headers: { "content-length": String(200 * 2 ** 20) }, body: "{}" }));
    expect(announced.status).toBe(413);
    const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(60)) });
    const endless = await cloud(at("/sedna/predict", { method: "POST", body: stream, duplex: "half" } as RequestInit));
    expect(endless.status).toBe(413);
    expect(await endless.text()).toContain("at most 100 bytes");
  });

  it("lets the named origins in, and no others", async () => {
    const cloud = await doubling({ origins: ["https://app.example"] });
    const allow = async (origin: string): Promise<string | null> => (await cloud(at("/sedna", { headers: { origin } }))).headers.get("access-control-allow-origin");
    expect(await allow("https://app.example")).toBe("https://app.example");
    expect(await allow("https://app.example.evil")).toBeNull();
    expect(await allow("null")).toBeNull();
    expect(() => createCloud({ services: [], origins: ["*"] })).toThrow('expected one such as https://app.example; got "*"');
  });

  it("asks for the token everywhere but on health", async () => {
    const cloud = await doubling({ token: "s3cret" });
    expect((await cloud(at("/v2/health/ready"))).status).toBe(200);
    expect((await cloud(at("/sedna"))).status).toBe(401);
    expect((await cloud(at("/metrics"))).status).toBe(401);
    expect((await cloud(at("/sedna", { headers: { authorization: "Bearer wrong" } }))).status).toBe(401);
    expect((await cloud(at("/sedna", { headers: { authorization: "Bearer s3cret" } }))).status).toBe(200);
  });

  it("refuses at the start what would lock everybody out or hide a model", () => {
    const service = (name: string) => bigModelService({ name, estimator: onnxBytes({ model: tinyOnnx(), task: tensors() }) });
    for (const token of ["", "p@ss word"]) expect(() => createCloud({ services: [], token })).toThrow("set the token: expected letters, digits");
    expect(() => createCloud({ services: [service("a"), service("a")] })).toThrow('expected services of different names; got "a" twice');
    for (const name of ["v2", "metrics", "..", "a b"]) expect(() => service(name)).toThrow("name a big model: expected letters");
  });

  it("tells a client nothing of the server's own bugs, and logs them", async () => {
    const logged: unknown[] = [];
    const logger = { info() {}, error: (fields: Readonly<Record<string, unknown>>) => void logged.push(fields["error"]) };
    const estimator = { ...onnxBytes({ model: tinyOnnx(), task: tensors() }), predict: () => Promise.reject(new TypeError("Cannot read properties of undefined")), predictBatch: undefined as never };
    const cloud = createCloud({ services: [bigModelService({ estimator: estimator as Estimator<Tensors, Tensors> })], logger });
    await cloud.start();
    const response = await cloud(post("/v2/models/sedna/infer", { inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }] }));
    expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining("undefined")]);
    expect(logged).toEqual(["Cannot read properties of undefined"]);
  });

  it("ends a shutdown although a model hangs", async () => {
    const hanging: Estimator<Frame, Detections> = detector(() => new Promise(() => {}));
    const decodeImage = async (): Promise<Frame> => ({ width: 1, height: 1, timestamp: 0, copyTo: async () => {}, encode: () => Promise.reject(new Error("")), close() {} });
    const cloud = createCloud({ services: [bigModelService({ estimator: hanging, decodeImage })] });
    await cloud.start();
    const serving = await serve(cloud, { port: 0, drainMs: 200 });
    const asking = fetch(`${serving.url}/sedna/predict`, { method: "POST", headers: { "content-type": "image/jpeg" }, body: "x" }).catch(() => "cut");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await serving.close();
    expect(await asking).toBe("cut");
  });

  it("counts what it does, in Prometheus' text", async () => {
    const cloud = await doubling();
    await cloud(post("/sedna/predict", { data: [[1, 2, 3, 4]] }));
    await cloud(post("/sedna/predict", {}));
    const text = await (await cloud(at("/metrics"))).text();
    expect(text).toContain('sedna_requests_total{model="sedna",protocol="sedna",code="200"} 1');
    expect(text).toContain('sedna_requests_total{model="sedna",protocol="sedna",code="422"} 1');
    expect(text).toContain('sedna_inference_seconds_count{model="sedna"} 1');
    expect(text).toContain('sedna_queue_samples{model="sedna"} 0');
    expect(text).toMatch(/^# HELP sedna_requests_total .+\n# TYPE sedna_requests_total counter$/m);
  });

  it("is not ready before it has loaded nor while it drains", async () => {
    const cloud = createCloud({ services: [bigModelService({ estimator: onnxBytes({ model: tinyOnnx(), task: tensors() }) })] });
    expect((await cloud(at("/v2/health/ready"))).status).toBe(503);
    expect((await cloud(post("/sedna/predict", { data: [[1, 2, 3, 4]] }))).status).toBe(503);
    await cloud.start();
    expect((await cloud(at("/v2/health/ready"))).status).toBe(200);
    await cloud.drain();
    expect((await cloud(at("/v2/health/ready"))).status).toBe(503);
    expect((await cloud(at("/v2/health/live"))).status).toBe(200);
    expect((await cloud(post("/sedna/predict", { data: [[1, 2, 3, 4]] }))).status).toBe(503);
  });

  it("answers 404 as JSON", async () => {
    const response = await (await doubling())(at("/nowhere"));
    expect([response.status, await response.json()]).toEqual([404, { error: "no such route: GET /nowhere" }]);
  });
});
