import { SednaError } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { classifyFailure, isFinal } from "./classify-failure.ts";

const runFailed = (message: string): SednaError =>
  new SednaError(`run the model: expected outputs; got a failure of ONNX Runtime: ${message}`, {
    code: "run-failed",
    retryable: true,
    cause: new Error(message),
  });
const running = { during: "run", dead: false } as const;

describe("classifyFailure()", () => {
  it.each([
    ["std::bad_alloc"],
    ["Aborted(OOM). Build with -sASSERTIONS for more info."],
    ["Aborted(). Build with -sASSERTIONS for more info."],
    ["WebAssembly.Memory.grow(): Maximum memory size exceeded"],
    ["Out of memory"],
    ["Failed to allocate memory for requested buffer of size 4294967296"],
  ])("recognizes an out-of-memory failure by %s", (message) => {
    expect(classifyFailure(runFailed(message), running)).toBe("out-of-memory");
    expect(classifyFailure(runFailed(message), { during: "open", dead: true })).toBe("out-of-memory");
  });

  it("recognizes an out-of-memory failure by errors of the engine", () => {
    expect(classifyFailure(new RangeError("Invalid array length"), running)).toBe("out-of-memory");
    expect(classifyFailure(new RangeError("Array buffer allocation failed"), running)).toBe("out-of-memory");
    const ended = Object.assign(new Error("Worker terminated due to reaching memory limit"), {
      code: "ERR_WORKER_OUT_OF_MEMORY",
    });
    expect(
      classifyFailure(new SednaError("run in a worker", { code: "run-failed", cause: ended }), {
        during: "run",
        dead: true,
      }),
    ).toBe("out-of-memory");
  });

  it.each([
    ["Cannot read properties of undefined (reading 'destroy')"],
    ["GPUDevice was lost"],
    ["A valid external Instance reference no longer exists: device is lost"],
    ["Buffer mapAsync failed"],
  ])("recognizes a lost device by %s", (message) => {
    expect(classifyFailure(runFailed(message), running)).toBe("device-lost");
  });

  it("distinguishes a crashed Worker, a model that fails to open, and a rejected run", () => {
    expect(classifyFailure(runFailed("the worker's own bug"), { during: "run", dead: true })).toBe(
      "worker-crashed",
    );
    expect(classifyFailure(new Error("nothing known"), { during: "open", dead: false })).toBe("open-failed");
    expect(classifyFailure(runFailed("Non-zero status code returned while running Conv node"), running)).toBe(
      "run-rejected",
    );
    expect(classifyFailure(Object.assign(new Error("unreachable"), { name: "RuntimeError" }), running)).toBe(
      "run-rejected",
    );
  });

  it("does not classify errors of the caller as failures", () => {
    const mismatch = new SednaError("bind", { code: "model-mismatch" });
    for (const error of [
      new TypeError("expected x"),
      new RangeError("got 1.5"),
      mismatch,
      new DOMException("closed", "InvalidStateError"),
      "text",
    ])
      expect(classifyFailure(error, running)).toBeUndefined();
  });
});

describe("isFinal()", () => {
  it("is true if a new Worker would fail in the same way", () => {
    for (const error of [
      new SednaError("open", { code: "model-mismatch" }),
      new SednaError("open", { code: "missing-dependency" }),
      new TypeError("open"),
      new SednaError("open", {
        code: "model-unreadable",
        cause: new Error("no available backend found. ERR: [webgpu]"),
      }),
    ])
      expect(isFinal(error)).toBe(true);
    for (const error of [
      runFailed("bad"),
      new SednaError("read", { code: "model-unreadable", retryable: true }),
      new Error("unknown"),
    ])
      expect(isFinal(error)).toBe(false);
  });
});
