import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

// These tests run `sedna-cloud simulate` as a user does: as a separate process.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const digits = fileURLToPath(new URL("../../../models/digits", import.meta.url));

async function simulate(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [
    "--conditions=sedna-source",
    "--import",
    "tsx",
    source,
    "simulate",
    ...args,
  ]);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, ...text };
}

describe("sedna-cloud simulate", () => {
  it("prints a table of rounds and a summary", async () => {
    const { code, out, err } = await simulate(
      "--clients",
      "100",
      "--rounds",
      "3",
      "--participants",
      "20",
      "--dropouts",
      ".3",
      "--stragglers",
      ".1",
    );
    expect([code, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]!.trim().split(/\s+/)).toEqual([
      "round",
      "model",
      "selected",
      "accepted",
      "dropped",
      "late",
      "rejected",
      "loss",
      "accuracy",
      "time",
    ]);
    expect(new Set(lines.slice(0, -1).map(({ length }) => length)).size).toBe(1);
    expect(lines.at(-1)).toMatch(
      /^100 clients, 3 models.*: \d+\.\d % correct on samples that no client trained on\..* simulated in \d+\.\d s\.$/,
    );
  });

  it("prints JSON, with digits distributed to clients that attack, a robust rule, and another encoding", async () => {
    const { code, out, err } = await simulate(
      "--json",
      "--clients",
      "60",
      "--rounds",
      "3",
      "--participants",
      "30",
      "--malicious",
      ".2",
      "--digits",
      digits,
      "--aggregation",
      "TrimmedMean",
      "--clip-norm",
      "2",
      "--encoding",
      "int8",
      "--learning-rate",
      "0.5",
      "--seed",
      "4",
    );
    expect([code, err]).toEqual([0, ""]);
    const lines = out
      .trimEnd()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            type: string;
            round: number;
            accuracy: number;
            rejected: number;
            rounds: number;
            clients: number;
          },
      );
    expect(lines.map(({ type }) => type)).toEqual(["round", "round", "round", "end"]);
    expect(lines.slice(0, 3).map(({ round }) => round)).toEqual([1, 2, 3]);
    expect(lines[0]!.rejected).toBeGreaterThan(0);
    expect(lines[3]).toMatchObject({ rounds: 3, accuracy: lines[2]!.accuracy });
    expect(lines[3]!.accuracy).toBeGreaterThan(0.5);
  });

  it("prints its usage", async () => {
    const { code, out } = await simulate("--help");
    expect(code).toBe(0);
    for (const option of [
      "--clients",
      "--rounds",
      "--dropouts",
      "--stragglers",
      "--malicious",
      "--aggregation",
      "--participants",
      "--digits",
      "--seed",
      "--json",
    ])
      expect(out).toContain(option);
    expect(out).not.toContain("--head");
  });

  it.each([
    [["--clients", "0"], "--clients: expected a whole number from 1 to 1000000; got 0"],
    [["--dropouts", "2"], "--dropouts: expected a number from 0 to 1; got 2"],
    [
      ["--dropouts", ".6", "--stragglers", ".6"],
      "--dropouts and --stragglers: expected a sum of at most 1; got 1.2",
    ],
    [["--clients", "10"], "--participants: expected at most the number of clients with data, 10; got 50"],
    [["--rounds", "0"], "--rounds: expected a whole number from 1 up, because a simulation must end; got 0"],
    [["--aggregation", "Best"], "--aggregation: expected one of FedAvg"],
    [
      ["--aggregation", "MultiKrum", "--param", "f=3", "--participants", "2"],
      "participants for MultiKrum; got 2",
    ],
    [["--digits", "/nowhere"], "--digits: expected a readable directory"],
    [["--head", "softmax:2x2"], "unknown option --head"],
  ])("exits with status 2 and the reason for %j", async (args, reason) => {
    const { code, out, err } = await simulate(...args);
    expect(code).toBe(2);
    expect(err).toContain(reason);
    expect(err).toContain("Try: sedna-cloud simulate --help");
    expect(out).toBe("");
  });
});
