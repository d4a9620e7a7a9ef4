import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { SednaError } from "@sedna-js/core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { workerCalls } from "./worker-calls.ts";

const program = `
  const { parentPort } = require("node:worker_threads");
  parentPort.once("message", () => setTimeout(() => { throw new Error("the worker's own bug"); }));
  parentPort.postMessage("up");
`;

/** Blocks this thread, so that messages from the Worker stay pending. */
const block = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe("workerCalls()", () => {
  it("C11: a worker that fails while it is killed does not crash the process", async () => {
    const worker = new Worker(program, { eval: true });
    await once(worker, "message");
    const calls = workerCalls<unknown>(worker, { what: "model" });
    worker.postMessage("fail");
    block(300);
    // The Worker's error has arrived but is not yet emitted. Without a listener, it would crash the process.
    await calls.kill(new SednaError("expected a response; got none", { code: "run-failed" }));
    expect(calls.dead).toMatchObject({ code: "run-failed", message: "expected a response; got none" });
  });

  it("C11: waits at most two seconds for a worker that cannot be terminated", async () => {
    // Node cannot interrupt native code, such as a run that never returns.
    const worker = new Worker(
      `require("node:worker_threads").parentPort.postMessage("up"); require("node:child_process").execFileSync("sleep", ["4"]);`,
      { eval: true },
    );
    await once(worker, "message");
    const exited = once(worker, "exit");
    const started = performance.now();
    await workerCalls<unknown>(worker, { what: "model" }).end(() => new Promise(() => {}));
    expect(performance.now() - started).toBeLessThan(3500);
    await exited;
  });

  it("leaves no timer that would keep the process running after it has ended", async () => {
    const worker = new Worker(program, { eval: true });
    await once(worker, "message");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const calls = workerCalls<unknown>(worker, { what: "model" });
    await calls.end(async () => ({ ok: true, value: undefined }));
    expect(vi.getTimerCount()).toBe(0);
  });
});
