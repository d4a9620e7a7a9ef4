import type { BigIntStats } from "node:fs";
import { open, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SednaError, type Frame, type SampleSource } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import type { DirectoryOptions } from "./platform.ts";
import { decodeFile, pictureNames } from "./picture-files.node.ts";
import { stoppable } from "./stoppable.ts";

// The directory is looked at again and again. The system's notices of changes would come sooner, but they get lost:
// on network file systems, when many come at once, and when the directory itself is removed.
//
//   look -> a file that is as it was at the last look, settleMs ago -> read -> still as it was? -> give -> look
//
// What was given is remembered by what the file was (inode, size, time), for as long as its name is there: a camera
// that writes latest.jpg again and again gives a new picture each time.

/** A file as it was seen. */
interface Sight {
  /** Changes with every write to the file. */
  readonly mark: string;
  readonly given: boolean;
}

/** See `directory` in the contract. */
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
      // A wrong path is told at once; a directory that goes later may come back.
      await pictureNames(path);
      while (!stop.aborted) {
        const started = performance.now();
        const now = await look(path).catch((error: unknown) => {
          // Opened again it would know nothing of what it has given: it goes on where somebody is told, once.
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
          // It changed while it was read, or went: the next look sees it as it is then.
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
        // Where the directory could not be looked at, as on a disk that is away, what was seen still holds.
        if (now)
          seen = new Map(
            [...now].map(([name, mark]) => [
              name,
              { mark, given: seen.get(name)?.mark === mark && (seen.get(name)?.given ?? false) },
            ]),
          );
        // A directory of a hundred thousand files is not stood over: at most a tenth of the time goes into looking.
        await sleep(Math.max(settleMs, 10 * lookMs), undefined, { signal: stop }).catch(() => {});
      }
    },
    { live: false, signal },
  );
}

/** The pictures that are there and their marks, in order; undefined where there is no directory. */
async function look(path: string): Promise<Map<string, string> | undefined> {
  const marks = new Map<string, string>();
  try {
    for (const name of await pictureNames(path)) {
      const mark = await markOf(join(path, name));
      if (mark !== undefined) marks.set(name, mark);
    }
  } catch (cause) {
    if (isGone(cause)) return undefined;
    throw new SednaError(`watch ${path}: expected to read it; got ${messageOf(cause)}`, {
      code: "source-failed",
      retryable: true,
      cause,
    });
  }
  return marks;
}

/** Undefined for what is no file, or went. */
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

/** The picture in a file that was as `mark` says before and after it was read; undefined where it was not. */
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

/** Someone may have written a new picture under the name. */
async function removeIfSame(file: string, mark: string): Promise<void> {
  if ((await markOf(file)) !== mark) return;
  await unlink(file).catch((cause: unknown) => {
    if (isGone(cause)) return undefined;
    throw new SednaError(`remove ${file}: expected to be allowed; got ${messageOf(cause)}`, {
      code: "storage-failed",
      cause,
    });
  });
}
