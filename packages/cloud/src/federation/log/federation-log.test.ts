import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { directoryFederationLog } from "./directory-federation-log.node.ts";
import type { FederationRecord } from "./federation-log.ts";
import { federationLogSuite } from "./federation-log.suite.ts";
import { memoryFederationLog } from "./memory-federation-log.ts";

const folders: string[] = [];
const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), "sedna-log-"));
  folders.push(made);
  return made;
};
afterAll(async () => {
  await Promise.all(folders.map((one) => rm(one, { recursive: true })));
});

federationLogSuite("memory", async () => {
  const log = memoryFederationLog();
  return {
    log,
    async reopen() {
      await log.open();
      return log;
    },
  };
});

federationLogSuite("a directory", async () => {
  const path = await folder();
  return {
    log: directoryFederationLog(path),
    async reopen() {
      const again = directoryFederationLog(path);
      await again.open();
      return again;
    },
  };
});

describe("a log in a directory", () => {
  const rejected = (round: number): FederationRecord => ({
    type: "events",
    events: [{ type: "rejected", at: 1, client: "a", round, code: "not-finite" }],
  });

  it("C20: drops a write that a crash interrupted at any byte, and continues from there", async () => {
    const path = await folder();
    const log = directoryFederationLog(path);
    await log.open();
    await log.append([rejected(1)]);
    const whole = await readFile(join(path, "log.jsonl"));
    await log.append([rejected(2)]);
    await log.close();
    const both = await readFile(join(path, "log.jsonl"));
    for (let cut = whole.length; cut < both.length; cut += 7) {
      await writeFile(join(path, "log.jsonl"), both.subarray(0, cut));
      const again = directoryFederationLog(path);
      await again.open();
      expect(await again.read()).toEqual([rejected(1)]);
      await again.append([rejected(3)]);
      expect(await again.read()).toEqual([rejected(1), rejected(3)]);
      await again.close();
    }
  });

  it("rejects damage that is followed by acknowledged records", async () => {
    const path = await folder();
    const log = directoryFederationLog(path);
    await log.open();
    for (const round of [1, 2, 3]) await log.append([rejected(round)]);
    await log.close();
    const bytes = await readFile(join(path, "log.jsonl"));
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    await writeFile(join(path, "log.jsonl"), bytes);
    await expect(directoryFederationLog(path).open()).rejects.toMatchObject({
      code: "storage-failed",
      message: expect.stringContaining("more records after it"),
    });
    await appendFile(join(path, "log.jsonl"), "");
  });

  it("belongs to one process at a time, and to the next one after that process was killed", async () => {
    const path = await folder();
    const script = new URL("../../../../../testing/fakes/hold-federation-log.ts", import.meta.url).pathname;
    const holder = fork(script, [path], { execArgv: ["--conditions=sedna-source", "--import", "tsx"] });
    await once(holder, "message");
    await expect(directoryFederationLog(path).open()).rejects.toThrow(`process ${holder.pid} has`);
    const gone = once(holder, "exit");
    holder.kill("SIGKILL");
    await gone;
    const log = directoryFederationLog(path);
    await log.open();
    await log.close();
  });
});
