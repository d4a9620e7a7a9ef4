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

/** Nothing of this thread runs meanwhile: what the Worker tells waits. */
const block = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe("workerCalls()", () => {
  it("C11: a worker that fails just as it is given up takes nobody with it", async () => {
    const worker = new Worker(program, { eval: true });
    await once(worker, "message");
    const calls = workerCalls<unknown>(worker, { what: "model" });
    worker.postMessage("fail");
    block(300);
    // Its error has come and has not been told: this ends the process where nobody listens.
    await calls.kill(new SednaError("expected an answer; got none", { code: "run-failed" }));
    expect(calls.dead).toMatchObject({ code: "run-failed", message: "expected an answer; got none" });
  });

  it("C11: waits no more than two seconds for a worker that nobody can end", async () => {
    // What is in native code, such as a run without an end, Node cannot interrupt.
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

  it("leaves no timer when it has ended, which would keep the process", async () => {
    const worker = new Worker(program, { eval: true });
    await once(worker, "message");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const calls = workerCalls<unknown>(worker, { what: "model" });
    await calls.end(async () => ({ ok: true, value: undefined }));
    expect(vi.getTimerCount()).toBe(0);
  });
});
