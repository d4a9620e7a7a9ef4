import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SednaError, type Detections, type Estimator, type Frame, type SampleSource } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AgentEvent } from "./agent-events.ts";
import { createEdgeAgent } from "./create-edge-agent.ts";
import type { EdgeAgent, EdgeAgentOptions } from "./edge-agent.ts";

let directory: string;
const agents: EdgeAgent[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sedna-agent-"));
});
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.dispose();
  await rm(directory, { recursive: true, force: true });
});

const frame = (timestamp: number): Frame =>
  pixelsFrame({ width: 8, height: 8, data: new Uint8ClampedArray(256).fill(220) }, { timestamp });
/** An estimator of the app with a private field, which only its own methods can read. */
class OwnEstimator implements Estimator<Frame, Detections> {
  #answered = 0;
  async load() {
    return { kind: "image", inputs: [], outputs: [], backend: "own" } as const;
  }
  async predict(): Promise<Detections> {
    return [[0, 0, 8, 8, 0.9, this.#answered++]];
  }
  async dispose(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}
const agentOf = (
  options: Partial<EdgeAgentOptions>,
): { readonly agent: EdgeAgent; readonly events: AgentEvent[] } => {
  const agent = createEdgeAgent<Detections>({
    name: "gate",
    directory,
    source: () => stored(1),
    model: { estimator: new OwnEstimator() },
    ...options,
  });
  const events: AgentEvent[] = [];
  agent.on((event) => events.push(event));
  agents.push(agent);
  return { agent, events };
};
async function* stored(count: number): AsyncGenerator<Frame> {
  for (let i = 0; i < count; i++) yield frame(i);
}

describe("createEdgeAgent()", () => {
  it("runs an app's own estimator unchanged, including private fields", async () => {
    const { agent } = agentOf({ source: () => stored(3) });
    // The first samples may arrive before the model is in the slot.
    for await (const { result } of agent.run()) if (result) expect(result[0]![4]).toBe(0.9);
    const numbers: (number | undefined)[] = [];
    for await (const { result } of agent.run()) numbers.push(result?.[0]?.[5]);
    expect(numbers).toEqual([0, 1, 2].map((i) => i + numbers[0]!));
  });

  it.each(["aborted", "left by its consumer"])(
    "closes the source of a run that is %s, even if the source is silent",
    async (how) => {
      const told = { ended: false };
      const source = (): SampleSource<Frame> => {
        let given = false;
        return {
          [Symbol.asyncIterator]: () => ({
            next: async () => {
              if (given) await new Promise(() => {});
              given = true;
              return { done: false, value: frame(0) };
            },
            return: async () => {
              told.ended = true;
              return { done: true, value: undefined };
            },
          }),
        };
      };
      const { agent } = agentOf({ source });
      const end = new AbortController();
      const answers = agent.run({ signal: end.signal });
      await answers.next();
      if (how === "aborted") {
        const last = answers.next();
        end.abort(new Error("enough"));
        await expect(last).rejects.toThrow("enough");
      } else await answers.return!();
      await expect.poll(() => told.ended).toBe(true);
    },
  );

  it("does not reopen a failed source after its run is aborted", async () => {
    let opened = 0;
    const source = (): SampleSource<Frame> => ({
      live: true,
      async *[Symbol.asyncIterator]() {
        if (opened++ > 0) yield frame(0);
        throw new SednaError("no camera", { code: "source-failed", retryable: true });
      },
    });
    const { agent } = agentOf({ source });
    const end = new AbortController();
    // Abort while the failure event is emitted: the delay after a first failure may be zero.
    agent.on(({ type }) => {
      if (type === "source-failed") end.abort(new Error("enough"));
    });
    await expect(agent.run({ signal: end.signal }).next()).rejects.toThrow("enough");
    expect(agent.status().lastError).toMatchObject({
      event: "source-failed",
      error: { message: "no camera" },
    });
    // The first delay is at most 500 ms.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(opened).toBe(1);
    expect(agent.status().source).toEqual({ state: "closed" });
  });

  it("completes stop() even if nothing else keeps the process alive", async () => {
    const script = `
      import { createEdgeAgent } from "@sedna-js/edge-agent";
      import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
      const estimator = { load: async () => ({}), predict: async () => [], dispose: async () => {} };
      const frame = () => pixelsFrame({ width: 1, height: 1, data: new Uint8ClampedArray(4) }, { timestamp: 0 });
      const agent = createEdgeAgent({ name: "gate", source: async function* () { for (;;) yield frame(); }, model: { estimator } });
      await agent.run().next();
      await agent.dispose({ deadlineMs: 200 });
      process.stdout.write(agent.status().state);`;
    const child = execFile(process.execPath, [
      "--conditions=sedna-source",
      "--import",
      "tsx",
      "--input-type=module",
      "-e",
      script,
    ]);
    let out = "";
    child.stdout!.on("data", (chunk: string) => (out += chunk));
    expect(await once(child, "close")).toEqual([0, null]);
    expect(out).toBe("stopped");
  }, 30_000);

  it("stops even if its model fails to close, and rejects with that error", async () => {
    const estimator = new OwnEstimator();
    estimator.dispose = () => Promise.reject(new Error("the model cannot be closed"));
    const { agent, events } = agentOf({ model: { estimator } });
    agents.pop();
    for await (const _ of agent.run());
    await expect(agent.dispose({ deadlineMs: 0 })).rejects.toThrow(
      "set deadlineMs: expected a positive number",
    );
    await expect(agent.dispose()).rejects.toThrow("the model cannot be closed");
    expect(agent.status().state).toBe("stopped");
    expect(events.at(-1)?.type).toBe("agent-stopped");
  });

  it.each<[string, Partial<EdgeAgentOptions>, string]>([
    ["no name", { name: undefined as never }, "expected a name; got undefined"],
    [
      "no model",
      { model: undefined as never },
      "expected model with one of manifest, file and estimator; got undefined",
    ],
    ["samples with an invalid URL", { samples: { url: "cloud" } }, "Invalid URL"],
    [
      "samples with a rate of 0",
      { samples: { url: "http://127.0.0.1:9", maxPerSecond: 0 } },
      "expected maxPerSecond above 0",
    ],
    [
      "a queue with a capacity of 0",
      { samples: { url: "http://127.0.0.1:9", maxItems: 0 } },
      "expected maxItems above 0",
    ],
    [
      "a queue whose items never expire",
      { samples: { url: "http://127.0.0.1:9", ttlMs: Infinity } },
      "expected ttlMs above 0, and finite",
    ],
    [
      "a queue with an unknown whenFull",
      { samples: { url: "http://127.0.0.1:9", whenFull: "drop-newest" as never } },
      "expected whenFull as one of reject-new",
    ],
    ["reports with an invalid URL", { report: { url: "controller" } }, "Invalid URL"],
    [
      "reports with an unknown ownerKind",
      { report: { url: "http://127.0.0.1:9", ownerKind: "cat" } },
      "expected ownerKind as one of jointinferenceservice",
    ],
    [
      "updates with a poll interval of 0",
      {
        model: { manifest: "http://127.0.0.1:9", keys: [{ id: "a", publicKey: "" }], update: { pollMs: 0 } },
      },
      "expected a number from 1",
    ],
  ])("rejects %s at creation, not later through an event", (_, options, message) => {
    expect(() => agentOf(options)).toThrow(message);
  });
});
