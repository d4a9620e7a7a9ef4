import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";

/** A directory that no other process opens. */
export interface DirectoryLock {
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  /** When the process started, as the system counts it; a number that is used again for another process starts at another time. */
  readonly started: string;
}

/**
 * Takes a directory for this process alone. The lock of a process that is gone is taken over. It holds among processes that
 * see each other's numbers: not across containers.
 *
 * The lock is the file `lock.N` with the largest N; it says whose it is, and is empty when it was given back. Who finds its
 * owner gone links `lock.N+1`, which one of many succeeds in, and then takes the smaller ones away. The largest never goes: one
 * who was slow, and makes a smaller one that is gone already, sees that there is a larger.
 *
 * @throws {SednaError} `storage-failed` naming the process that has it.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const own: Owner = { pid: process.pid, started: (await processOf(process.pid))?.started ?? "" };
  const draft = join(directory, `lock-draft.${randomUUID()}`);
  // Written beside and then linked: a lock is never seen half written.
  await writeFile(draft, JSON.stringify(own));
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      const newest = (await numbers(directory)).at(-1) ?? 0;
      const owner = newest > 0 ? await ownerOf(path(directory, newest)) : undefined;
      if (owner && (await isAlive(owner)))
        throw new SednaError(
          `open the queue in ${directory}: expected a directory that no process has open; process ${owner.pid} has`,
          { code: "storage-failed" },
        );
      const mine = path(directory, newest + 1);
      const isLinked = await link(draft, mine).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === "EEXIST") return false;
          throw error;
        },
      );
      if (!isLinked) continue;
      const all = await numbers(directory);
      if (all.at(-1) !== newest + 1) {
        await rm(mine, { force: true });
        continue;
      }
      for (const number of all.slice(0, -1)) await rm(path(directory, number), { force: true });
      // Emptied, not taken away, see above; where somebody took it away there is nothing to give back.
      return { release: () => truncate(mine, 0).catch(() => undefined) };
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new SednaError(
    `open the queue in ${directory}: expected to take its lock; other processes were faster each time`,
    { code: "storage-failed", retryable: true },
  );
}

const path = (directory: string, number: number): string => join(directory, `lock.${number}`);

async function numbers(directory: string): Promise<number[]> {
  return (await readdir(directory))
    .flatMap((name) => (/^lock\.\d{1,15}$/.test(name) ? [Number(name.slice(5))] : []))
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
  const now = await processOf(pid);
  if (now?.isZombie) return false;
  return now === undefined || started === "" || now.started === started;
}

/** The boot and the tick at which a process started, and whether it is dead but not buried; undefined where the system does not tell. */
async function processOf(
  pid: number,
): Promise<{ readonly started: string; readonly isZombie: boolean } | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile("/proc/sys/kernel/random/boot_id", "latin1"),
    ]);
    // The name, in brackets, may hold blanks. After it comes the state; the start is the 20th from there.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { started: `${boot.trim()} ${fields[19]}`, isZombie: fields[0] === "Z" || fields[0] === "X" };
  } catch {
    return undefined;
  }
}
