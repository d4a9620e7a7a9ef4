import type { BigIntStats } from "node:fs";
import { open, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SednaError, type Frame, type SampleSource } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import type { DirectoryOptions } from "./platform.ts";
import { decodeFile, imageNames } from "./picture-files.node.ts";
import { stoppable } from "./stoppable.ts";

// The directory is scanned repeatedly. Notifications of the file system would be faster, but they get lost on
// network file systems, in bursts, and when the directory itself is removed.
//
//   scan -> file unchanged since the scan settleMs ago -> read -> still unchanged? -> yield -> scan
//
// A yielded file is remembered by its inode, size, and modification time for as long as its name exists: a
// camera that keeps overwriting latest.jpg yields a new image each time.

/** The state of a file at the last scan. */
interface Sight {
  /** Identifies the file's content. Changes with every write. */
  readonly mark: string;
  readonly given: boolean;
}

/** Implements `directory` of the platform contract with `watch`. */
export function watchedDirectory(
  path: string,
  { settleMs = 500, remove = false, onSkip, signal }: Omit<DirectoryOptions, "watch"> = {},
): SampleSource<Frame> {
  if (!(settleMs > 0 && settleMs < 2 ** 31))
    throw new RangeError(
      `watch ${path}: expected settleMs as a positive number below 2147483648; got ${settleMs}`,
    );
  return stoppable(
    async function* (stop) {
      let seen = new Map<string, Sight>();
      let isUnread = false;
      // Throw at once on a wrong path. A directory that disappears later may return.
      await imageNames(path);
      while (!stop.aborted) {
        const started = performance.now();
        const now = await look(path).catch((error: unknown) => {
          // A reopened source would yield all files again. If there is an `onSkip` listener, continue instead
          // and report the failure once.
          if (!onSkip) throw error;
          if (!isUnread) onSkip({ path, error });
          isUnread = true;
          return undefined;
        });
        if (now) isUnread = false;
        const lookMs = performance.now() - started;
        for (const [name, mark] of now ?? []) {
          const before = seen.get(name);
          const settled = before?.mark === mark;
          if (!settled || before.given) continue;
          if (stop.aborted) return;
          const file = join(path, name);
          const picture = await readSettled(file, mark).catch((error: unknown) => ({ error }));
          // The file changed or disappeared while it was read. The next scan handles its new state.
          if (picture === undefined) continue;
          seen.set(name, { mark, given: true });
          if ("error" in picture) {
            if (!onSkip) throw picture.error;
            onSkip({ path: file, error: picture.error });
            continue;
          }
          if (stop.aborted) return picture.close();
          yield picture;
          if (remove && !stop.aborted)
            await removeIfSame(file, mark).catch((error: unknown) => {
              if (!onSkip) throw error;
              onSkip({ path: file, error });
            });
        }
        // If the directory could not be scanned, as on an unmounted disk, keep the last known state.
        if (now)
          seen = new Map(
            [...now].map(([name, mark]) => [
              name,
              { mark, given: seen.get(name)?.mark === mark && (seen.get(name)?.given ?? false) },
            ]),
          );
        // Spend at most a tenth of the time on scanning, even in a directory of a hundred thousand files.
        await sleep(Math.max(settleMs, 10 * lookMs), undefined, { signal: stop }).catch(() => {});
      }
    },
    { live: false, signal },
  );
}

/**
 * Returns the marks of the directory's images by name, in order, or `undefined` if the directory does not
 * exist.
 */
async function look(path: string): Promise<Map<string, string> | undefined> {
  const marks = new Map<string, string>();
  try {
    for (const name of await imageNames(path)) {
      const mark = await markOf(join(path, name));
      if (mark !== undefined) marks.set(name, mark);
    }
  } catch (cause) {
    if (isGone(cause)) return undefined;
    throw new SednaError(`watch ${path}: expected a readable directory; got ${messageOf(cause)}`, {
      code: "source-failed",
      retryable: true,
      cause,
    });
  }
  return marks;
}

/** Returns the mark of a file, or `undefined` if the path does not exist or is not a file. */
async function markOf(file: string): Promise<string | undefined> {
  try {
    return marked(await stat(file, { bigint: true }));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const marked = (it: BigIntStats): string | undefined =>
  it.isFile() ? `${it.ino}:${it.size}:${it.mtimeNs}` : undefined;
const isGone = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

/**
 * Reads an image whose file has the given mark before and after reading. Returns `undefined` if the mark
 * differs.
 */
async function readSettled(file: string, mark: string): Promise<Frame | undefined> {
  const handle = await open(file).catch((error: unknown) => {
    if (isGone(error)) return undefined;
    throw error;
  });
  if (!handle) return undefined;
  let bytes: Uint8Array;
  try {
    if (marked(await handle.stat({ bigint: true })) !== mark) return undefined;
    bytes = await handle.readFile();
    if (marked(await handle.stat({ bigint: true })) !== mark) return undefined;
  } finally {
    await handle.close();
  }
  return decodeFile(file, bytes);
}

/** Deletes a file unless a new image was written under its name. */
async function removeIfSame(file: string, mark: string): Promise<void> {
  if ((await markOf(file)) !== mark) return;
  await unlink(file).catch((cause: unknown) => {
    if (isGone(cause)) return undefined;
    throw new SednaError(`remove ${file}: expected to delete the file; got ${messageOf(cause)}`, {
      code: "storage-failed",
      cause,
    });
  });
}
