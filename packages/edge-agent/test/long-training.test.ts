import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

// A training whose process is killed and that resumes in the next process.

const EPOCHS = 950;
const source = fileURLToPath(new URL("fixtures/long-training.ts", import.meta.url));
const at = { folder: "" };
beforeAll(async () => void (at.folder = await mkdtemp(join(tmpdir(), "sedna-training-"))));
/** Child processes, to kill those that a failed test left running. */
const children = new Set<ChildProcess>();
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(at.folder, { recursive: true });
});

interface Told {
  readonly done?: number;
  readonly first?: boolean;
  readonly report?: unknown;
  readonly weights?: readonly string[];
}

/** Runs the training to its end, or kills it after it has printed `lines` lines. */
async function training(directory: string, lines = Infinity): Promise<readonly Told[]> {
  const child = spawn(
    process.execPath,
    ["--conditions=sedna-source", "--import", "tsx", source, directory, String(EPOCHS)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = once(child, "close").finally(() => children.delete(child));
  children.add(child);
  child.stdin.on("error", () => {});
  const said: Told[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(JSON.parse(line) as Told);
    child.stdin.write("go on\n");
    if (said.length >= lines) break;
  }
  if (lines !== Infinity) child.kill("SIGKILL");
  const [, signal] = (await ended) as [number | null, string | null];
  expect(signal).toBe(lines === Infinity ? null : "SIGKILL");
  return said;
}

it("C9: a training that is killed three times ends with the same bits as an uninterrupted one", async () => {
  const whole = (await training("")).at(-1)!;
  const directory = join(at.folder, "killed");
  let reached = 0;
  for (const lines of [3, 4, 2]) {
    const said = await training(directory, lines);
    const [{ done, first }] = said as [Told];
    expect(first).toBe(true);
    // At most seven epochs without a checkpoint are lost.
    expect(done!).toBeGreaterThanOrEqual(reached === 0 ? 1 : reached - 7);
    expect(done === 1).toBe(reached === 0);
    reached = said.at(-1)!.done!;
  }
  const said = await training(directory);
  expect(said[0]!.done!).toBeGreaterThanOrEqual(reached - 7);
  expect(said.at(-1)).toEqual(whole);
  // The training has ended, so the next one starts from scratch.
  expect(await readdir(directory)).toEqual([]);
});

it("starts from scratch if the checkpoint is damaged", async () => {
  const directory = join(at.folder, "damaged");
  await training(directory, 3);
  const file = join(directory, "long-training");
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(file, bytes);
  expect((await training(directory, 1))[0]).toEqual({ done: 1, first: true });
});
