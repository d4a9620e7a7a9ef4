import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors } from "@sedna-js/core/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sednaPeer } from "../../../testing/servers/sedna-peer.ts";

// These tests run the command as the operator of a federation does: a process, real sockets, real files.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const paths = { folder: "" };
const children: ChildProcess[] = [];
beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "sedna-aggregate-"))));
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(paths.folder, { recursive: true });
});

const run = (...args: string[]) => {
  const child = spawn(process.execPath, [
    "--conditions=sedna-source",
    "--import",
    "tsx",
    source,
    "aggregate",
    ...args,
  ]);
  children.push(child);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  return { child, text, ended: new Promise<number | null>((resolve) => child.on("close", resolve)) };
};
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const start = async (...args: string[]) => {
  const one = run(
    "--port",
    "0",
    "--sedna",
    "--layers",
    "w:2,b:1",
    "--participants",
    "2",
    "--rounds",
    "2",
    "--selection-s",
    "60",
    ...args,
  );
  await expect.poll(() => one.text.out + one.text.err, { timeout: 30_000 }).toContain('"ready"');
  return { ...one, url: lines(one.text.out)[0]!["url"] as string };
};
const weights = async (path: string): Promise<number[][]> => {
  const { tensors } = readSafetensors(await readFile(path));
  return ["w", "b"].map((name) => [...(tensors[name]!.data as Float32Array)]);
};

describe("sedna-cloud aggregate", () => {
  it("prints its usage", async () => {
    const help = run("--help");
    expect(await help.ended).toBe(0);
    for (const option of [
      "--head",
      "--layers",
      "--aggregation",
      "--rounds",
      "--participants",
      "--deadline-s",
      "--log",
      "--save",
      "--sedna",
      "--token",
      "--proximal",
    ])
      expect(help.text.out).toContain(option);
  });

  it.each([
    [["--head", "softmax:4"], "--head: expected softmax:FEATURESxCLASSES"],
    [
      ["--head", "softmax:4x2", "--save", "/no/such/folder/model"],
      "--save: expected the path of a file in an existing directory; got /no/such/folder/model",
    ],
    [
      ["--head", "softmax:4x2", "--devices", source],
      "--devices: expected a readable and writable directory; got EEXIST",
    ],
    [["--head", "softmax:4x2", "--origin", "*"], "allow an origin: expected one such as https://app.example"],
    [["--head", "softmax:4x2", "--round", "3"], "unknown option --round"],
  ])("exits with status 2 and the reason for %j", async (args, reason) => {
    const one = run(...args);
    expect([await one.ended, one.text.out]).toEqual([2, ""]);
    expect(one.text.err).toContain(`sedna-cloud: `);
    expect(one.text.err).toContain(reason);
    expect(one.text.err).toContain("Try: sedna-cloud aggregate --help");
  });

  it("runs a federation of Sedna's clients: logs its rounds, saves each model, and exits on SIGTERM", async () => {
    const save = join(paths.folder, "model.safetensors");
    const { child, text, ended, url } = await start("--save", save);
    const [a, b] = [await sednaPeer(`${url}/FedAvg`, "A"), await sednaPeer(`${url}/FedAvg`, "B")];
    for (const [round, flag] of [
      [1, "continue"],
      [2, "ok"],
    ] as const) {
      a.update("A", { samples: 1, weights: [[0, round], [2]] });
      b.update("B", { samples: 3, weights: [[4, round], [6]] });
      expect((await a.nextOf("recv_weight"))["data"]).toEqual({
        total_sample: 4,
        round_number: round,
        weights: [[3, round], [5]],
        exit_flag: flag,
      });
    }
    expect(await (await fetch(`${url}/v1/federations/federation`)).json()).toMatchObject({
      state: "done",
      modelVersion: 2,
    });
    await expect.poll(() => text.out, { timeout: 30_000 }).toContain('"msg":"done"');
    expect(lines(text.out).filter(({ msg }) => msg === "a round closed")).toMatchObject(
      [1, 2].map((round) => ({
        round,
        outcome: "aggregated",
        modelVersion: round,
        accepted: 2,
        totalSamples: 4,
      })),
    );
    child.kill("SIGTERM");
    expect((await a.closed).code).toBe(1012);
    expect([await ended, text.err]).toEqual([0, ""]);
    expect(await weights(save)).toEqual([[3, 2], [5]]);
    expect((await readdir(paths.folder)).filter((name) => name.includes(".tmp"))).toEqual([]);
    b.socket.terminate();
  });

  it("C20: after a SIGKILL it resumes the same round, its clients rejoin, and no update is accepted twice", async () => {
    const log = join(paths.folder, "log");
    const save = join(paths.folder, "killed.safetensors");
    const first = await start("--log", log, "--save", save);
    const [a, b] = [await sednaPeer(`${first.url}/FedAvg`, "A"), await sednaPeer(`${first.url}/FedAvg`, "B")];
    a.update("A", { samples: 1, weights: [[0, 0], [0]] });
    b.update("B", { samples: 1, weights: [[2, 2], [2]] });
    await Promise.all([a.nextOf("recv_weight"), b.nextOf("recv_weight")]);
    a.update("A", { samples: 1, weights: [[4, 4], [4]] });
    await expect
      .poll(async () => (await fetch(`${first.url}/v1/federations/federation`)).text(), { timeout: 30_000 })
      .toContain('"accepted"');
    first.child.kill("SIGKILL");
    await first.ended;
    const second = await start("--log", log, "--save", save);
    expect(await (await fetch(`${second.url}/v1/federations/federation`)).json()).toMatchObject({
      modelVersion: 1,
      round: 2,
    });
    await expect.poll(() => weights(save), { timeout: 30_000 }).toEqual([[1, 1], [1]]);
    const [c, d] = [
      await sednaPeer(`${second.url}/FedAvg`, "A"),
      await sednaPeer(`${second.url}/FedAvg`, "B"),
    ];
    // New processes of the same clients: the first response is the model.
    for (const [peer, id] of [
      [c, "A"],
      [d, "B"],
    ] as const) {
      peer.update(id, { samples: 1, weights: [[9, 9], [9]] });
      expect((await peer.nextOf("recv_weight"))["data"]).toMatchObject({
        round_number: 1,
        weights: [[1, 1], [1]],
        exit_flag: "continue",
      });
    }
    c.update("A", { samples: 1, weights: [[4, 4], [4]] });
    d.update("B", { samples: 1, weights: [[8, 8], [8]] });
    expect((await d.nextOf("recv_weight"))["data"]).toEqual({
      total_sample: 2,
      round_number: 2,
      weights: [[6, 6], [6]],
      exit_flag: "ok",
    });
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect(await weights(save)).toEqual([[6, 6], [6]]);
  });

  it("accepts any device, or with --devices only enrolled devices", async () => {
    const ask = async (url: string, path: string, body: unknown): Promise<number> =>
      (
        await fetch(`${url}/v1/federations/federation/${path}`, {
          method: "POST",
          body: JSON.stringify(body),
        })
      ).status;
    const request = { protocol: 1, device: "a", numSamples: 1 };
    const open = await start();
    expect(await ask(open.url, "sessions", request)).toBe(201);
    expect(open.text.out).toContain("any device that reaches this port may take part");
    const closed = await start("--devices", join(paths.folder, "devices"), "--enrollment-token", "s3cret");
    expect(await ask(closed.url, "sessions", request)).toBe(403);
    expect(await ask(closed.url, "devices", { publicKey: "x" })).toBe(400);
    expect(closed.text.out).not.toContain("may take part");
    for (const { child } of [open, closed]) child.kill("SIGTERM");
    expect(await Promise.all([open.ended, closed.ended])).toEqual([0, 0]);
  });

  it("with --exit it exits after its last round when its clients have left", async () => {
    const { ended, url } = await start("--exit", "--participants", "1", "--rounds", "1");
    const a = await sednaPeer(`${url}/FedAvg`, "A");
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    expect((await a.nextOf("recv_weight"))["data"]).toMatchObject({ exit_flag: "ok" });
    a.socket.close();
    expect(await ended).toBe(0);
  });
});
