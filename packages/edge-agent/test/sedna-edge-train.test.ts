import type { Head } from "@sedna-js/wasm-kernels";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors, writeSafetensors } from "@sedna-js/core/wire";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  controlSocket,
  createCloud,
  createFederation,
  enrolledSessions,
  enrollmentService,
  federationService,
  memoryDeviceRegistry,
  serve,
  type Federation,
  type Serving,
} from "../../cloud/src/index.ts";
import { aggregation, select } from "../../core/src/index.ts";

// Tests the command as a device's owner runs it: separate processes and an aggregator on a real port.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const models = fileURLToPath(new URL("../../../models/", import.meta.url));
const at = { folder: "" };
const children: ChildProcess[] = [];
const serving: Serving[] = [];
beforeAll(async () => {
  at.folder = await mkdtemp(join(tmpdir(), "sedna-train-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const one of serving.splice(0)) await one.close();
});
afterAll(() => rm(at.folder, { recursive: true }));

const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const child = spawn(process.execPath, ["--conditions=sedna-source", "--import", "tsx", source, ...args], {
    env: { ...process.env, ...env },
  });
  children.push(child);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  const events = (): { readonly type: string; readonly [key: string]: unknown }[] =>
    text.out
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { type: string });
  return { child, text, events, ended: once(child, "close").then(([code]) => code as number | null) };
};
const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(at.folder, name);
  await writeFile(path, content);
  return path;
};
async function aggregator({
  head,
  participants,
  numRounds = 3,
}: {
  readonly head: Head;
  readonly participants: number;
  readonly numRounds?: number;
}): Promise<{ url: string; federation: Federation }> {
  const sessions = enrolledSessions({
    audience: "digits",
    registry: memoryDeviceRegistry(),
    enrollmentTokens: ["let-me-in"],
    secret: "s".repeat(32),
  });
  const federation = createFederation({
    name: "digits",
    model: { head, training: { epochs: 1, batchSize: 32, optimizer: { kind: "sgd", learningRate: 0.1 } } },
    aggregator: select(aggregation, { method: "FedAvg", param: {} }),
    rounds: { participants, overSelect: 1, numRounds, selectionMs: 60_000, deadlineMs: 60_000 },
    uploads: { encoding: "f32" },
    runtime: { seed: 1 },
  });
  const cloud = createCloud({
    services: [
      enrollmentService({ sessions, federations: ["digits"] }),
      federationService({
        federations: [federation],
        sessions,
        sockets: [controlSocket({ federations: [federation], sessions })],
      }),
    ],
  });
  await cloud.start();
  const one = await serve(cloud, { port: 0 });
  serving.push(one);
  return { url: one.url, federation };
}

describe("sedna-edge train", () => {
  it("trains digits with another device into one model, each with its own key", async () => {
    const { url, federation } = await aggregator({
      head: { kind: "softmax", features: 784, classes: 10 },
      participants: 2,
    });
    const job = (name: string): Promise<string> =>
      write(
        `${name}.yaml`,
        `name: ${name}\nfederation: { url: "${url}", name: digits, control: ${name === "gate" ? "socket" : "poll"}, enrollmentToken: "\${TOKEN}" }\ndata: { images: ${models}digits/mnist10k-images-idx3-ubyte.gz, labels: ${models}digits/mnist10k-labels-idx1-ubyte.gz }\nsave: ${name}.safetensors\nstate: ${name}-state\n`,
      );
    const env = { TOKEN: "let-me-in" };
    const devices = [start(["train", await job("gate")], env), start(["train", await job("yard")], env)];
    for (const { ended, text, events } of devices) {
      expect(await ended, text.err).toBe(0);
      expect(events().at(-1)).toEqual({ type: "done", round: 3, modelVersion: 3 });
      expect(events().filter(({ type }) => type === "accepted").length).toBe(3);
      expect(text.out + text.err).not.toContain("let-me-in");
    }
    const [gate, yard] = await Promise.all(
      ["gate", "yard"].map(async (name) =>
        readSafetensors(await readFile(join(at.folder, `${name}.safetensors`))),
      ),
    );
    expect(gate!.tensors).toEqual(yard!.tensors);
    const parameters = federation.model(3)!.parameters;
    expect([...(gate!.tensors["bias"]!.data as Float32Array)]).toEqual([...parameters.subarray(-10)]);
    expect(federation.status().history.every(({ totalSamples }) => totalSamples === 20_000)).toBe(true);
  });

  it("C25: shuts down in order on SIGTERM and rejoins as the same device", async () => {
    const { url, federation } = await aggregator({
      head: { kind: "softmax", features: 2, classes: 2 },
      participants: 2,
    });
    await write(
      "table.safetensors",
      writeSafetensors({
        tensors: {
          features: { dtype: "float32", shape: [4, 2], data: Float32Array.of(0, 1, 1, 0, 0, 2, 2, 0) },
          labels: { dtype: "uint8", shape: [4], data: Uint8Array.of(0, 1, 0, 1) },
        },
      }),
    );
    const path = await write(
      "table.json",
      JSON.stringify({
        name: "table",
        federation: { url, name: "digits", enrollmentToken: "let-me-in" },
        data: { table: "table.safetensors" },
        state: "table-state",
      }),
    );
    const first = start(["train", path]);
    await expect.poll(() => first.text.out, { timeout: 60_000 }).toContain('"waiting"');
    first.child.kill("SIGTERM");
    expect(await first.ended, first.text.err).toBe(0);
    await expect.poll(() => federation.status().clients.map(({ state }) => state)).toEqual(["left"]);
    const second = start(["train", path]);
    await expect.poll(() => second.text.out, { timeout: 60_000 }).toContain('"waiting"');
    expect(federation.status().clients.length, "it is the same device").toBe(1);
  });

  it("retries an aggregator that is not running yet and exits on SIGTERM", async () => {
    const path = await write(
      "early.json",
      JSON.stringify({
        name: "early",
        federation: { url: "http://127.0.0.1:9", name: "digits" },
        data: {
          images: `${models}digits/mnist10k-images-idx3-ubyte.gz`,
          labels: `${models}digits/mnist10k-labels-idx1-ubyte.gz`,
        },
      }),
    );
    const device = start(["train", path]);
    await expect
      .poll(() => device.text.err, { timeout: 60_000 })
      .toContain("the aggregator is not reachable yet");
    device.child.kill("SIGTERM");
    expect(await device.ended).toBe(0);
  });

  it("prints its purpose and the errors of a job", async () => {
    const help = start(["train", "--help"]);
    expect(await help.ended).toBe(0);
    expect(help.text.out).toContain("federation");
    const wrong = start([
      "train",
      await write(
        "wrong.yaml",
        "name: gate\nfederation: { url: http://127.0.0.1:9, nam: digits }\ndata: { pictures: p }\nfeature: { model: m.onnx }\n",
      ),
    ]);
    expect(await wrong.ended).toBe(2);
    expect(wrong.text.err).toContain(
      "federation.nam: expected one of url, name, control, enrollmentToken, audience; got an unknown key: did you mean name?",
    );
    expect(wrong.text.err).toContain("did you mean features?");
    const missing = start([
      "train",
      await write(
        "missing.json",
        JSON.stringify({
          name: "m",
          federation: { url: "http://127.0.0.1:9", name: "digits" },
          data: { table: "nowhere.safetensors" },
        }),
      ),
    ]);
    expect(await missing.ended).toBe(2);
    expect(missing.text.err).toContain("expected training data; got ENOENT");
    expect(missing.text.err).toContain("The fields of a job are described in docs/training.md");
  });

  it("reports invalid data before a round starts, and an aggregator without that federation", async () => {
    const { url } = await aggregator({ head: { kind: "softmax", features: 2, classes: 2 }, participants: 2 });
    const features = { dtype: "float32", shape: [2, 2], data: Float32Array.of(0, 1, 1, 0) } as const;
    await write(
      "two.safetensors",
      writeSafetensors({
        tensors: { features, labels: { dtype: "uint8", shape: [2], data: Uint8Array.of(0, 2) } },
      }),
    );
    await write("none.safetensors", "x");
    const train = async (table: string, name = "digits"): Promise<string> => {
      const one = start([
        "train",
        await write(
          `${table}-${name}.json`,
          JSON.stringify({ name: "m", federation: { url, name }, data: { table } }),
        ),
      ]);
      return `${await one.ended} ${one.text.err}`;
    };
    expect(await train("two.safetensors")).toMatch(
      /^2 .*two.safetensors: expected labels from 0 to 1, the federation's classes; got 2 for sample 1/,
    );
    expect(await train("none.safetensors")).toMatch(/^2 .*none.safetensors: read safetensors/);
    expect(await train("two.safetensors", "faces")).toMatch(
      /^1 .*expected a federation of that name; got 404/,
    );
  });
});
