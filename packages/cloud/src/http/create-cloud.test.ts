import { tensors, type Detections, type Estimator, type Frame, type Tensors } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { at, detector, doubling, post } from "../../../../testing/servers/served.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { bigModelService } from "../big-model/big-model-service.ts";
import { createCloud } from "./create-cloud.ts";
import { onnxBytes } from "../big-model/onnx.node.ts";
import { serve } from "./serve.node.ts";

describe("limits and access", () => {
  it("responds with 503 and Retry-After when the queue is full, and completes every accepted request", async () => {
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const estimator = detector(async () => (await gate, []));
    const decodeImage = async (): Promise<Frame> => ({
      width: 1,
      height: 1,
      timestamp: 0,
      copyTo: async () => {},
      encode: () => Promise.reject(new Error("")),
      close() {},
    });
    const cloud = createCloud({
      services: [bigModelService({ estimator, decodeImage, maxQueue: 1, maxBatch: 1 })],
    });
    await cloud.start();
    const ask = (): Promise<Response> =>
      cloud(
        at("/sedna/predict", { method: "POST", headers: { "content-type": "image/jpeg" }, body: "x" }),
      ) as Promise<Response>;
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

  it("responds with 413 to a body over the limit, with or without a Content-Length", async () => {
    const cloud = await doubling({ maxBodyBytes: 100 });
    const announced = await cloud(
      at("/sedna/predict", {
        method: "POST",
        headers: { "content-length": String(200 * 2 ** 20) },
        body: "{}",
      }),
    );
    expect(announced.status).toBe(413);
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(60)),
    });
    const endless = await cloud(
      at("/sedna/predict", { method: "POST", body: stream, duplex: "half" } as RequestInit),
    );
    expect(endless.status).toBe(413);
    expect(await endless.text()).toContain("at most 100 bytes");
  });

  it("allows only the configured origins", async () => {
    const cloud = await doubling({ origins: ["https://app.example"] });
    const allow = async (origin: string): Promise<string | null> =>
      (await cloud(at("/sedna", { headers: { origin } }))).headers.get("access-control-allow-origin");
    expect(await allow("https://app.example")).toBe("https://app.example");
    expect(await allow("https://app.example.evil")).toBeNull();
    expect(await allow("null")).toBeNull();
    expect(() => createCloud({ services: [], origins: ["*"] })).toThrow(
      'expected one such as https://app.example; got "*"',
    );
  });

  it("requires the token on every route except health", async () => {
    const cloud = await doubling({ token: "s3cret" });
    expect((await cloud(at("/v2/health/ready"))).status).toBe(200);
    expect((await cloud(at("/sedna"))).status).toBe(401);
    expect((await cloud(at("/metrics"))).status).toBe(401);
    expect((await cloud(at("/sedna", { headers: { authorization: "Bearer wrong" } }))).status).toBe(401);
    expect((await cloud(at("/sedna", { headers: { authorization: "Bearer s3cret" } }))).status).toBe(200);
  });

  it("rejects an invalid token, duplicate service names, and reserved model names", () => {
    const service = (name: string) =>
      bigModelService({ name, estimator: onnxBytes({ model: tinyOnnx(), task: tensors() }) });
    for (const token of ["", "p@ss word"])
      expect(() => createCloud({ services: [], token })).toThrow("set the token: expected letters, digits");
    expect(() => createCloud({ services: [service("a"), service("a")] })).toThrow(
      'expected services with unique names; got "a" twice',
    );
    for (const name of ["v2", "metrics", "..", "a b"])
      expect(() => service(name)).toThrow("name a big model: expected letters");
  });

  it("hides internal errors from the client and logs them", async () => {
    const logged: unknown[] = [];
    const logger = {
      info() {},
      error: (fields: Readonly<Record<string, unknown>>) => void logged.push(fields["error"]),
    };
    const estimator = {
      ...onnxBytes({ model: tinyOnnx(), task: tensors() }),
      predict: () => Promise.reject(new TypeError("Cannot read properties of undefined")),
      predictBatch: undefined as never,
    };
    const cloud = createCloud({
      services: [bigModelService({ estimator: estimator as Estimator<Tensors, Tensors> })],
      logger,
    });
    await cloud.start();
    const response = await cloud(
      post("/v2/models/sedna/infer", {
        inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }],
      }),
    );
    expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining("undefined")]);
    expect(logged).toEqual(["Cannot read properties of undefined"]);
  });

  it("completes a shutdown even if a model hangs", async () => {
    let reached = (): void => {};
    const predicting = new Promise<void>((resolve) => (reached = resolve));
    const hanging: Estimator<Frame, Detections> = detector(() => {
      reached();
      return new Promise(() => {});
    });
    const decodeImage = async (): Promise<Frame> => ({
      width: 1,
      height: 1,
      timestamp: 0,
      copyTo: async () => {},
      encode: () => Promise.reject(new Error("")),
      close() {},
    });
    const cloud = createCloud({ services: [bigModelService({ estimator: hanging, decodeImage })] });
    await cloud.start();
    const serving = await serve(cloud, { port: 0, drainMs: 200 });
    const asking = fetch(`${serving.url}/sedna/predict`, {
      method: "POST",
      headers: { "content-type": "image/jpeg" },
      body: "x",
    }).catch(() => "cut");
    await predicting;
    await serving.close();
    expect(await asking).toBe("cut");
  });

  it("reports its metrics in the Prometheus text format", async () => {
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

  it("is not ready before it has loaded or while it drains", async () => {
    const cloud = createCloud({
      services: [bigModelService({ estimator: onnxBytes({ model: tinyOnnx(), task: tensors() }) })],
    });
    expect((await cloud(at("/v2/health/ready"))).status).toBe(503);
    expect((await cloud(post("/sedna/predict", { data: [[1, 2, 3, 4]] }))).status).toBe(503);
    await cloud.start();
    expect((await cloud(at("/v2/health/ready"))).status).toBe(200);
    await cloud.drain();
    expect((await cloud(at("/v2/health/ready"))).status).toBe(503);
    expect((await cloud(at("/v2/health/live"))).status).toBe(200);
    expect((await cloud(post("/sedna/predict", { data: [[1, 2, 3, 4]] }))).status).toBe(503);
  });

  it("responds with 404 as JSON", async () => {
    const response = await (await doubling())(at("/nowhere"));
    expect([response.status, await response.json()]).toEqual([404, { error: "no such route: GET /nowhere" }]);
  });
});
