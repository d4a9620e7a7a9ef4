import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";

interface Owner {
  readonly pid: number;
  /** Boot and tick at which the process started: its number may be used again. Empty where the system does not tell. */
  readonly started: string;
}

/**
 * Takes a directory for this process; returns what gives it back. The claim is the file `claim.N` with the largest N. Who finds
 * its owner gone links the next one, in which only one of many succeeds; a claim that was given back is empty.
 *
 * @throws {SednaError} `storage-failed` naming the process that has it.
 */
export async function claimDirectory(directory: string): Promise<() => Promise<void>> {
  const draft = join(directory, `draft.${randomUUID()}`);
  await writeFile(
    draft,
    JSON.stringify({ pid: process.pid, started: (await startOf(process.pid)) ?? "" } satisfies Owner),
  );
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      const newest = (await claims(directory)).at(-1) ?? 0;
      const owner = newest > 0 ? await ownerOf(pathOf(directory, newest)) : undefined;
      if (owner && (await isAlive(owner)))
        throw new SednaError(
          `open the log in ${directory}: expected a directory that no process has open; process ${owner.pid} has`,
          { code: "storage-failed" },
        );
      const mine = pathOf(directory, newest + 1);
      try {
        // Written beside and then linked: a claim is never seen half written.
        await link(draft, mine);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        continue;
      }
      const all = await claims(directory);
      if (all.at(-1) !== newest + 1) {
        // A slow one, that claimed a number which is history.
        await rm(mine, { force: true });
        continue;
      }
      for (const number of all.slice(0, -1)) await rm(pathOf(directory, number), { force: true });
      return () => truncate(mine, 0).catch(() => undefined);
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new SednaError(
    `open the log in ${directory}: expected to claim it; other processes were faster each time`,
    { code: "storage-failed", retryable: true },
  );
}

const pathOf = (directory: string, number: number): string => join(directory, `claim.${number}`);

async function claims(directory: string): Promise<number[]> {
  return (await readdir(directory))
    .flatMap((name) => (/^claim\.\d{1,15}$/.test(name) ? [Number(name.slice(6))] : []))
    .toSorted((a, b) => a - b);
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    const { pid, started } = JSON.parse(await readFile(path, "utf8")) as Partial<Owner>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof started === "string"
      ? { pid: pid!, started }
      : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive({ pid, started }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not allowed to signal it: it lives.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = await startOf(pid);
  return now === undefined || started === "" ? now !== "" : now === started;
}

/** When a process started; empty for one that is dead but not buried; undefined where the system does not tell. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile("/proc/sys/kernel/random/boot_id", "latin1"),
    ]);
    // The name, in brackets, may hold blanks. After it comes the state; the start is the 20th from there.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "" : `${boot.trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}
