import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { modelPublisher } from "../../../testing/fakes/signed-model.ts";
import { version } from "../../../testing/fakes/updating-agent.ts";

// Hot updates of a device under SIGKILL: a process, its directory, and a publisher that signs.

const device = fileURLToPath(new URL("fixtures/updating-device.ts", import.meta.url));
const publisher = await modelPublisher();
const root = await mkdtemp(join(tmpdir(), "sedna-update-process-"));
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});
afterAll(async () => {
  await publisher.close();
  await rm(root, { recursive: true, force: true });
});

/** Starts the device. `until` resolves with the first line that has the given values. */
function start(directory: string) {
  const args = [
    "--conditions=sedna-source",
    "--import",
    "tsx",
    device,
    directory,
    publisher.url,
    publisher.keys[0]!.publicKey,
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  const exit = once(child, "exit").then(() => running.delete(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const told: Record<string, unknown>[] = [];
  return {
    told,
    async until(wanted: Record<string, unknown>) {
      for (;;) {
        const { done, value } = await lines.next();
        if (done)
          throw new Error(
            `read the device's events: expected ${JSON.stringify(wanted)}; it ended after ${JSON.stringify(told)}`,
          );
        const line = JSON.parse(value) as Record<string, unknown>;
        told.push(line);
        if (Object.entries(wanted).every(([key, one]) => line[key] === one)) return line;
      }
    },
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

describe("C14: a device that is killed during a hot update", { timeout: 120_000 }, () => {
  it("C14: killed in each stage, the device starts with the last good version and completes the update in the end", async () => {
    const directory = await mkdtemp(join(root, "device"));
    await publisher.publish(version(1, { op: "Add", golden: [3, 6] }));
    const first = start(directory);
    expect(await first.until({ running: 1 })).toEqual({ running: 1, answers: 6 });
    await publisher.publish(version(2, { golden: [3, 9] }));
    await first.until({ type: "update-found" });
    await first.kill();

    for (const type of ["update-staged", "update-checked", "update-swapped"]) {
      const life = start(directory);
      expect(await life.until({ answers: 6 })).toEqual({ running: 1, answers: 6 });
      await life.until({ type, version: 2 });
      await life.kill();
    }

    const last = start(directory);
    expect(await last.until({ answers: 6 })).toEqual({ running: 1, answers: 6 });
    await last.until({ type: "update-confirmed", version: 2 });
    await last.kill();
    const after = start(directory);
    expect(await after.until({ running: 2 })).toEqual({ running: 2, answers: 9 });
    await after.kill();
  });

  it("C14: a bad model that a trusted key has signed never serves results and is not retried after a restart", async () => {
    const directory = await mkdtemp(join(root, "device"));
    await publisher.publish(version(11, { op: "Add" }));
    const first = start(directory);
    await first.until({ running: 11 });
    await publisher.publish(version(12, { op: "Acos", onnx: { inputs: 1 } }));
    expect(await first.until({ type: "update-rejected" })).toMatchObject({
      version: 12,
      rejection: "shadow-errors",
    });
    await first.kill();

    await publisher.publish(version(12, { op: "Acos", onnx: { inputs: 1 } }));
    const second = start(directory);
    expect(await second.until({ answers: 6 })).toMatchObject({ running: 11 });
    await publisher.publish(version(13));
    await second.until({ type: "update-confirmed" });
    expect(second.told.filter(({ version: one }) => one === 12)).toEqual([]);
    await second.kill();
  });
});
