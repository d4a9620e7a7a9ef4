import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { aggregation, select } from "@sedna-js/core";
import type { LayerSpec } from "@sedna-js/core/training";
import { afterAll, describe, expect, it } from "vitest";
import { createCloud } from "../src/http/create-cloud.ts";
import { createFederation } from "../src/federation/create-federation.ts";
import type { Federation } from "../src/federation/federation.ts";
import { sednaAggregation } from "../src/federation/sedna/sedna-aggregation.ts";
import type { Serving } from "../src/http/platform.ts";
import { serve } from "../src/http/serve.node.ts";

// Python processes that speak Sedna's protocol as its own client does, through a library from another
// project.

const python = process.env["SEDNA_PYTHON"] ?? "python3";
const script = fileURLToPath(new URL("../../../testing/python/sedna_client.py", import.meta.url));
const layout: readonly LayerSpec[] = [
  { name: "w", shape: [3, 4] },
  { name: "b", shape: [4] },
  { name: "s", shape: [] },
];
const size = 17;

/** Returns why the Python client is not available, or `undefined` if it is. */
function missing(): string | undefined {
  try {
    execFileSync(python, ["-c", "import websockets"], { stdio: "ignore", timeout: 20_000 });
    return undefined;
  } catch {
    return `${python} cannot import websockets: python3 -m pip install websockets, or name a Python that can in SEDNA_PYTHON`;
  }
}

interface Received {
  readonly round: number;
  readonly total: number;
  readonly flag: string;
  readonly client: string;
  readonly weights: readonly number[];
}
const client = async (
  url: string,
  { id, samples, step }: { readonly id: string; readonly samples: number; readonly step: number },
): Promise<Received[]> => {
  const { stdout } = await promisify(execFile)(
    python,
    [script, url, id, String(samples), String(step), JSON.stringify(layout.map(({ shape }) => shape))],
    { timeout: 60_000 },
  );
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Received);
};
/** Returns the weights that the script's training produces. */
const trained = (weights: readonly number[], step: number): number[] =>
  weights.map((value, i) => value * 0.5 + (i + step) * 0.25);

const running: { readonly serving: Serving; readonly federation: Federation }[] = [];
afterAll(async () => {
  for (const { serving, federation } of running) {
    await serving.close();
    await federation.close();
  }
});
const start = async (numRounds: number): Promise<{ url: string; federation: Federation }> => {
  const federation = createFederation({
    name: "python",
    model: { layout },
    aggregator: select(aggregation, { method: "FedAvg" }),
    rounds: { participants: 2, numRounds, deadlineMs: 50_000 },
  });
  await federation.start();
  const cloud = createCloud({ services: [sednaAggregation({ federation })] });
  await cloud.start();
  const serving = await serve(cloud, { port: 0 });
  running.push({ serving, federation });
  return { url: `${serving.url.replace("http", "ws")}/FedAvg`, federation };
};

describe("Sedna's client in Python", () => {
  it("two instances match FedAvg within 1e-6 in each round, and stop at the exit flag", async ({ skip }) => {
    const reason = missing();
    if (reason) skip(reason);
    const { url, federation } = await start(4);
    const parts = [
      { id: "A", samples: 30, step: 1 },
      { id: "B", samples: 10, step: 7 },
    ];
    const [a, b] = await Promise.all(parts.map((part) => client(url, part)));
    expect(a!.map(({ round, total, flag }) => ({ round, total, flag }))).toEqual(
      [1, 2, 3, 4].map((round) => ({ round, total: 40, flag: round === 4 ? "ok" : "continue" })),
    );
    expect(b).toEqual(a);
    let models = parts.map(({ step }) => Array<number>(size).fill(step));
    for (const { weights } of a!) {
      const [one, two] = parts.map(({ step }, i) => trained(models[i]!, step));
      const mean = one!.map((value, i) => (value * 30 + two![i]! * 10) / 40);
      expect(Math.max(...weights.map((value, i) => Math.abs(value - mean[i]!)))).toBeLessThan(
        1e-6 * Math.max(1, ...mean.map(Math.abs)),
      );
      // Both clients continue from the weights that they received.
      models = [[...weights], [...weights]];
    }
    expect(federation.status()).toMatchObject({ state: "done", modelVersion: 4 });
  });

  it("one instance trains with a sedna-js client in one federation", async ({ skip }) => {
    const reason = missing();
    if (reason) skip(reason);
    const { url, federation } = await start(3);
    const ours = { client: "ours", epoch: 1 };
    federation.join({ ...ours, kind: "sedna-js", numSamples: 20, resources: {} });
    const step = 3;
    let asked = Promise.resolve();
    const train = async (): Promise<void> => {
      const task = federation.task(ours);
      if (task.kind !== "train" || task.accepted) return;
      const base = federation.model(task.modelVersion)!.parameters;
      const values = Float32Array.from(trained([...base], step), (value, i) => value - base[i]!);
      await federation.submit(ours, {
        update: { encoding: "f32", values },
        numSamples: 20,
        round: task.round,
        modelVersion: task.modelVersion,
        bytes: 68,
      });
    };
    const end = federation.onTask(ours, () => void (asked = asked.then(train)));
    asked = asked.then(train);
    const received = await client(url, { id: "A", samples: 60, step: 1 });
    end();
    await asked;
    expect(received.map(({ total, flag }) => [total, flag])).toEqual([
      [80, "continue"],
      [80, "continue"],
      [80, "ok"],
    ]);
    let [theirs, base] = [Array<number>(size).fill(1), Array<number>(size).fill(0)];
    for (const { weights } of received) {
      const [one, two] = [trained(theirs, 1), trained(base, step)];
      const mean = one.map((value, i) => (value * 60 + two[i]! * 20) / 80);
      expect(Math.max(...weights.map((value, i) => Math.abs(value - mean[i]!)))).toBeLessThan(1e-5);
      theirs = base = [...weights];
    }
  });
});
