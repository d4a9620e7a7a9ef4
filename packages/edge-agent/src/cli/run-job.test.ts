import { describe, expect, it } from "vitest";
import { joint } from "../telemetry/pretend-agent.suite.ts";
import { runJob } from "./run-job.node.ts";

describe("runJob()", () => {
  it("stops the agent before it rejects with the error that ended the source permanently", async () => {
    const calls: string[] = [];
    const logger = { debug() {}, info() {}, warn() {} };
    const agent = {
      run: () => ({
        async next() {
          calls.push("run");
          throw new TypeError("no such camera");
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      }),
      on: () => () => void calls.push("off"),
      status: () =>
        ({
          name: "gate",
          state: "idle",
          startedAt: null,
          source: { state: "closed" },
          lastError: null,
          joint,
          queue: null,
          model: null,
        }) as const,
      flush: async () => void calls.push("flush"),
      dispose: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        calls.push("stopped");
      },
    };
    await expect(
      runJob({
        job: { name: "gate", output: "none", status: { port: 0, host: "127.0.0.1" } },
        agent,
        logger,
        exit: () => {},
      }),
    ).rejects.toThrow("no such camera");
    expect(calls).toEqual(["run", "stopped", "off", "off"]);
  });
});
