import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "../errors.ts";

/** A directory that no other process can open. */
export interface DirectoryLock {
  /** Releases the directory. A second call does nothing. */
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  /**
   * Boot and tick at which the process started, because the system reuses process ids. Empty if the system
   * does not say.
   */
  readonly started: string;
}

/**
 * Locks a directory for this process and takes over the lock of a process that no longer runs. The lock holds
 * among processes that see each other's ids: not across containers.
 *
 * The lock is the file `lock.N` with the largest N. It names its owner and is empty once released. A process
 * that finds the owner gone links `lock.N+1`; only one of many succeeds, and that one removes the smaller
 * files. The largest file is never removed: a slow process that links a number from the past finds a larger
 * one and gives up.
 *
 * @param action The start of error messages, such as "open the queue".
 *
 * @throws {SednaError} `storage-failed` If another process holds the lock; the message names it.
 *
 * @example
 * ```ts
 * import { lockDirectory } from "@sedna-js/core/node";
 * import { mkdtemp } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const directory = await mkdtemp(join(tmpdir(), "lock-"));
 * const lock = await lockDirectory(directory, "open the queue");
 * await lock.release();
 * ```
 */
export async function lockDirectory(directory: string, action: string): Promise<DirectoryLock> {
  const own: Owner = { pid: process.pid, started: (await processOf(process.pid))?.started ?? "" };
  const draft = join(directory, `lock-draft.${randomUUID()}`);
  // Written first and then linked: no process ever reads half a lock.
  await writeFile(draft, JSON.stringify(own));
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      const newest = (await lockNumbers(directory)).at(-1) ?? 0;
      const owner = newest > 0 ? await ownerOf(lockPath(directory, newest)) : undefined;
      if (owner && (await isAlive(owner)))
        throw new SednaError(
          `${action} in ${directory}: expected a directory that no process has open; process ${owner.pid} has`,
          { code: "storage-failed" },
        );
      const path = lockPath(directory, newest + 1);
      if (!(await isLinked(draft, path))) continue;
      const all = await lockNumbers(directory);
      if (all.at(-1) !== newest + 1) {
        await rm(path, { force: true });
        continue;
      }
      for (const number of all.slice(0, -1)) await rm(lockPath(directory, number), { force: true });
      // Emptied and not removed, see above. If the file is gone there is nothing to release.
      return { release: () => truncate(path, 0).catch(() => undefined) };
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new SednaError(
    `${action} in ${directory}: expected to take its lock; other processes were faster each time`,
    { code: "storage-failed", retryable: true },
  );
}

const lockPath = (directory: string, number: number): string => join(directory, `lock.${number}`);

async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function lockNumbers(directory: string): Promise<number[]> {
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
    // EPERM: this user may not signal the process, so it exists.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = await processOf(pid);
  if (now?.isZombie) return false;
  return now === undefined || started === "" || now.started === started;
}

/**
 * When a process started, and whether it has ended but was not reaped; `undefined` if the system does not
 * say.
 */
async function processOf(
  pid: number,
): Promise<{ readonly started: string; readonly isZombie: boolean } | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile("/proc/sys/kernel/random/boot_id", "latin1"),
    ]);
    // The name, in brackets, may contain blanks. The state follows it; the start is the 20th field from
    // there.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { started: `${boot.trim()} ${fields[19]}`, isZombie: fields[0] === "Z" || fields[0] === "X" };
  } catch {
    return undefined;
  }
}
