import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tensors } from "@sedna-js/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../testing/fakes/tiny-onnx.ts";
import { bigModelService } from "../src/big-model/big-model-service.ts";
import { createCloud } from "../src/http/create-cloud.ts";
import { onnxBytes } from "../src/big-model/onnx.node.ts";
import type { Serving } from "../src/http/platform.ts";
import { serve } from "../src/http/serve.node.ts";

// Clients from other projects: PyPI's tritonclient for the Open Inference Protocol, and requests, which
// Sedna's own client uses.

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const venv = path("../../../.cache/python");
const python = `${venv}/bin/python`;

/** Returns why the Python clients are not available, or `undefined` if they are. */
function missing(): string | undefined {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
  } catch {
    return "python3 is not installed";
  }
  try {
    if (!existsSync(python)) execFileSync("python3", ["-m", "venv", venv], { stdio: "ignore" });
    const installed = [python, ["-c", "import tritonclient.http, requests"]] as const;
    try {
      execFileSync(...installed, { stdio: "ignore" });
    } catch {
      execFileSync(
        python,
        ["-m", "pip", "install", "--quiet", "tritonclient[http]==2.73.0", "requests==2.34.2"],
        { stdio: "ignore", timeout: 240_000 },
      );
      execFileSync(...installed, { stdio: "ignore" });
    }
    return undefined;
  } catch {
    return "tritonclient and requests could not be installed from PyPI";
  }
}

describe("Python clients", () => {
  const running: { serving?: Serving; reason?: string } = {};
  beforeAll(async () => {
    running.reason = missing();
    const cloud = createCloud({
      services: [bigModelService({ estimator: onnxBytes({ model: tinyOnnx(), task: tensors() }) })],
    });
    await cloud.start();
    running.serving = await serve(cloud, { port: 0 });
  });
  afterAll(() => running.serving?.close());

  const run = async (script: string): Promise<string> =>
    (await promisify(execFile)(python, [path(script), running.serving!.url])).stdout;

  it("tritonclient gets the same tensors as JSON and as binary, and reads health and metadata", async ({
    skip,
  }) => {
    if (running.reason) skip(running.reason);
    expect(JSON.parse(await run("oip_client.py"))).toEqual({
      live: true,
      ready: true,
      model_ready: true,
      inputs: [{ name: "x", datatype: "FP32", shape: [-1, 4] }],
      json: [
        [2, 4, 6, 8],
        [0.2, -5, 200000, 0],
      ],
      binary: [
        [2, 4, 6, 8],
        [0.2, -5, 200000, 0],
      ],
      equal: true,
      error: "400",
    });
  });

  it("requests, used as in Sedna's client, gets responses in Sedna's format", async ({ skip }) => {
    if (running.reason) skip(running.reason);
    expect(JSON.parse(await run("sedna_client.py"))).toEqual({
      info: {
        infos: [
          { path: "/sedna", name: "model_info" },
          { path: "/sedna/predict", name: "predict" },
        ],
      },
      predict: [
        200,
        {
          result: [
            [2, 4, 6, 8],
            [10, 12, 14, 16],
          ],
        },
      ],
      not_a_list: [
        422,
        { detail: [{ loc: ["body", "data"], msg: "value is not a valid list", type: "type_error.list" }] },
      ],
      missing: [
        422,
        { detail: [{ loc: ["body", "data"], msg: "field required", type: "value_error.missing" }] },
      ],
      unknown_callback: [500, "Internal Server Error"],
      get: 405,
    });
  });
});
