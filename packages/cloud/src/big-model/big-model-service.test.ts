import { tensors, type Detections, type Estimator, type Frame, type Tensors } from "@sedna-js/core";
import { formatInferRequest, INFERENCE_HEADER_LENGTH, parseInferResponse } from "@sedna-js/core/wire";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { at, detector, doubling, post } from "../../../../testing/servers/served.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { bigModelService } from "./big-model-service.ts";
import { createCloud, type Cloud } from "../http/create-cloud.ts";
import { onnxBytes, sharpDecoder } from "./onnx.node.ts";

describe("Sedna's REST", () => {
  it("lists its routes", async () => {
    const cloud = await doubling();
    expect(await (await cloud(at("/sedna"))).json()).toEqual({
      infos: [
        { path: "/sedna", name: "model_info" },
        { path: "/sedna/predict", name: "predict" },
      ],
    });
  });

  it("returns the result for a request of Sedna's client and ignores unknown keys", async () => {
    const cloud = await doubling();
    const response = await cloud(
      post("/sedna/predict", {
        data: [
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ],
        post_process: null,
        extra: 1,
      }),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      result: [
        [2, 4, 6, 8],
        [10, 12, 14, 16],
      ],
    });
  });

  it("applies a known callback and responds with 500 to an unknown one, as Sedna does", async () => {
    const cloud = await doubling();
    const data = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ];
    expect(await (await cloud(post("/sedna/predict", { data, callback: "first" }))).json()).toEqual({
      result: [[2, 4, 6, 8]],
    });
    const unknown = await cloud(post("/sedna/predict", { data, callback: "nms" }));
    expect([unknown.status, await unknown.text()]).toEqual([500, "Internal Server Error"]);
  });

  it.each([
    [
      "a string as data",
      { data: "notalist" },
      [{ loc: ["body", "data"], msg: "value is not a valid list", type: "type_error.list" }],
    ],
    ["no data", {}, [{ loc: ["body", "data"], msg: "field required", type: "value_error.missing" }]],
  ])("responds with 422 and pydantic's error to %s", async (_, body, detail) => {
    const response = await (await doubling())(post("/sedna/predict", body));
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({ detail });
  });

  it.each([
    ["ragged lists", [[1, 2, 3, 4], [1]], "expected 4 entries on axis 1"],
    ["words", [["a", "b", "c", "d"]], 'expected numbers; got "a"'],
    ["a shape that does not fit", [[1, 2, 3]], "expected x as float32 [-1,4]; got float32 [1,3]"],
  ])("responds with 422 and the expected format to %s", async (_, data, message) => {
    const response = await (await doubling())(post("/sedna/predict", { data }));
    expect(response.status).toBe(422);
    expect(JSON.stringify(await response.json())).toContain(JSON.stringify(message).slice(1, -1));
  });

  it("responds with 405 to GET on predict and with 422 to invalid JSON", async () => {
    const cloud = await doubling();
    expect((await cloud(at("/sedna/predict"))).status).toBe(405);
    expect((await cloud(at("/sedna/predict", { method: "POST", body: "{not json" }))).status).toBe(422);
  });
});

describe("the Open Inference Protocol", () => {
  it("reports health and metadata", async () => {
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
      const response = await cloud(
        post("/v2/models/sedna/infer", {
          id: "7",
          inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data }],
        }),
      );
      expect(await response.json()).toEqual({
        id: "7",
        model_name: "sedna",
        model_version: "1",
        outputs: [{ name: "y", datatype: "FP32", shape: [1, 4], data: [2, 4, 6, 8] }],
      });
    }
  });

  it("infers from binary tensors with bit-exact results", async () => {
    const cloud = await doubling();
    const data = Float32Array.of(0.1, -2.5, 3e30, Number.NaN);
    const { body, headerLength } = formatInferRequest({
      inputs: { x: { dtype: "float32", shape: [1, 4], data } },
    });
    const response = await cloud(
      at("/v2/models/sedna/infer", {
        method: "POST",
        headers: { [INFERENCE_HEADER_LENGTH]: String(headerLength) },
        body,
      }),
    );
    const { outputs } = parseInferResponse(
      new Uint8Array(await response.arrayBuffer()),
      Number(response.headers.get(INFERENCE_HEADER_LENGTH)),
    );
    expect(outputs["y"]).toEqual({ dtype: "float32", shape: [1, 4], data: data.map((one) => one + one) });
  });

  it.each([
    [
      "a missing input",
      { inputs: [{ name: "z", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }] },
      "expected the inputs x; got z",
    ],
    [
      "a wrong shape",
      { inputs: [{ name: "x", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] }] },
      "expected x as float32 [-1,4]; got float32 [1,3]",
    ],
    [
      "a wrong count",
      { inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1] }] },
      "expected 4 elements for shape [1,4]; got 1",
    ],
    [
      "an unknown datatype",
      { inputs: [{ name: "x", shape: [1], datatype: "FP8", data: [1] }] },
      'got \\"FP8\\"',
    ],
    ["no inputs", {}, "read an infer request.inputs: expected a list of 1 or more; got undefined"],
    [
      "an extra input",
      {
        inputs: [
          { name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] },
          { name: "z", shape: [1], datatype: "FP32", data: [1] },
        ],
      },
      "expected the inputs x; got x, z",
    ],
    [
      "an unknown output",
      {
        inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }],
        outputs: [{ name: "q" }],
      },
      "expected outputs of y",
    ],
  ])("responds with 400 and the expected format to %s", async (_, body, message) => {
    const response = await (await doubling())(post("/v2/models/sedna/infer", body));
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
  });

  it("returns an output as JSON if the output requests it, even if the request asks for binary", async () => {
    const inputs = [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }];
    const response = await (
      await doubling()
    )(
      post("/v2/models/sedna/infer", {
        inputs,
        parameters: { binary_data_output: true },
        outputs: [{ name: "y", parameters: { binary_data: false } }],
      }),
    );
    expect(await response.json()).toMatchObject({ outputs: [{ data: [2, 4, 6, 8] }] });
  });

  it("does not write NaN or infinity as null", async () => {
    const inputs = [{ name: "x", shape: [1, 4], datatype: "FP32", data: [3e38, 0, 0, 0] }];
    const response = await (await doubling())(post("/v2/models/sedna/infer", { inputs }));
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining("got Infinity. Ask for binary output"),
    ]);
  });

  it("batches requests that arrive together into one run", async () => {
    const estimator = onnxBytes({ model: tinyOnnx(), task: tensors() }) as Estimator<Tensors, Tensors>;
    const sizes: number[] = [];
    const counting = {
      ...estimator,
      predictBatch: (samples: readonly Tensors[]) => (
        sizes.push(samples.length),
        estimator.predictBatch!(samples)
      ),
    };
    const cloud = createCloud({ services: [bigModelService({ estimator: counting })] });
    await cloud.start();
    const infer = async (value: number): Promise<unknown> => {
      const response = await cloud(
        post("/v2/models/sedna/infer", {
          inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [value, 0, 0, 0] }],
        }),
      );
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
      return {
        width: 2,
        height: 1,
        timestamp: 0,
        copyTo: async () => {},
        encode: () => Promise.reject(new Error("not needed")),
        close() {},
      };
    };
    const made = createCloud({ services: [bigModelService({ estimator: detector(predict), decodeImage })] });
    await made.start();
    return made;
  };

  it("are accepted as encoded images by predict", async () => {
    const response = await (
      await cloud()
    )(
      at("/sedna/predict", {
        method: "POST",
        headers: { "content-type": "image/jpeg" },
        body: Uint8Array.of(0xff),
      }),
    );
    expect(await response.json()).toEqual({ result: [[1, 2, 3, 4, 0.5, 0]] });
  });

  it("are accepted as nested lists of pixels by predict, as Sedna's client sends them", async () => {
    const seen: number[][] = [];
    const answer = await cloud(async (frame) => {
      const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
      await frame.copyTo(pixels);
      seen.push([...pixels]);
      return rows;
    });
    expect(
      (
        await answer(
          post("/sedna/predict", {
            data: [
              [
                [1, 2, 3],
                [4, 5, 6],
              ],
            ],
          }),
        )
      ).status,
    ).toBe(200);
    expect(seen).toEqual([[1, 2, 3, 255, 4, 5, 6, 255]]);
  });

  it("are accepted as BYTES by infer", async () => {
    const { body, headerLength } = formatInferRequest({
      inputs: { image: { dtype: "bytes", shape: [1], data: [Uint8Array.of(0xff)] } },
    });
    const response = await (
      await cloud()
    )(
      at("/v2/models/sedna/infer", {
        method: "POST",
        headers: { [INFERENCE_HEADER_LENGTH]: String(headerLength) },
        body,
      }),
    );
    const { outputs } = parseInferResponse(
      new Uint8Array(await response.arrayBuffer()),
      Number(response.headers.get(INFERENCE_HEADER_LENGTH)),
    );
    expect(outputs["detections"]).toEqual({
      dtype: "float32",
      shape: [1, 6],
      data: Float32Array.of(1, 2, 3, 4, 0.5, 0),
    });
  });

  it("are rejected before decoding if they exceed the pixel limit", async () => {
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: "white" } })
      .png({ compressionLevel: 9 })
      .toBuffer();
    const made = createCloud({
      services: [bigModelService({ estimator: detector(async () => rows), decodeImage: sharpDecoder() })],
    });
    await made.start();
    const response = await made(
      at("/sedna/predict", {
        method: "POST",
        headers: { "content-type": "IMAGE/PNG" },
        body: new Uint8Array(bomb),
      }),
    );
    expect([response.status, await response.text()]).toEqual([422, expect.stringContaining("pixel limit")]);
  }, 30_000);

  it("that are invalid get 422, not 500", async () => {
    const response = await (
      await cloud()
    )(at("/sedna/predict", { method: "POST", headers: { "content-type": "image/jpeg" }, body: "<html>" }));
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("expected JPEG");
  });
});
