import { mkdir, open, readdir, readFile, rename, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";

/** Ends the names of files that are being written; what is left of a death is removed when the store is next used. */
const UNFINISHED = ".part~";

/** A byte store of files in a directory of its own. A value is written beside its place, flushed to the disk, and then renamed. */
export function fileBytes({ directory }: { readonly directory: string }): ByteStore {
  const place = (key: string): string => join(directory, checkKey(key));
  let tidied: Promise<void> | undefined;
  let written = 0;

  const tidy = async (): Promise<void> => {
    await mkdir(directory, { recursive: true });
    for (const name of await readdir(directory))
      if (name.endsWith(UNFINISHED)) await rm(join(directory, name), { force: true });
  };
  const ready = (): Promise<void> =>
    (tidied ??= tidy().catch((error: unknown) => {
      tidied = undefined;
      throw failed(`open ${directory}`, error);
    }));

  return {
    async get(key) {
      const file = place(key);
      try {
        return new Uint8Array(await readFile(file));
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        throw failed(`read ${key}`, error);
      }
    },
    async set(key, bytes) {
      checkValue(bytes);
      const target = place(key);
      await ready();
      const unfinished = `${target}.${process.pid}-${written++}${UNFINISHED}`;
      try {
        const file = await open(unfinished, "wx");
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(unfinished, target);
        await syncFolder(directory);
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => {});
        throw failed(`store ${key}`, error);
      }
    },
    async delete(key) {
      const file = place(key);
      try {
        await unlink(file);
      } catch (error) {
        if (codeOf(error) !== "ENOENT") throw failed(`delete ${key}`, error);
      }
    },
    async keys() {
      await ready();
      return (await readdir(directory)).filter((name) => !name.endsWith(UNFINISHED));
    },
  };
}

/** A new name is on the disk when its folder is. */
async function syncFolder(directory: string): Promise<void> {
  // Windows opens no folders, and needs no flush for names.
  if (process.platform === "win32") return;
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}

function failed(action: string, cause: unknown): SednaError {
  const full = ["ENOSPC", "EDQUOT"].includes(String(codeOf(cause)));
  const why = messageOf(cause);
  return new SednaError(`${action}: expected ${full ? "room on the disk" : "to use the disk"}; got ${why}`, {
    code: full ? "storage-full" : "storage-failed",
    retryable: true,
    cause,
  });
}
