import { writeFileDurably } from "@sedna-js/core/node";
import { mkdir, readdir, readFile, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";

/** Suffix of files being written. Files left by a crash are removed when the store is next used. */
const UNFINISHED = ".part~";

/**
 * Creates a byte store of files in its own directory. A value is written to a temporary file, flushed to the
 * disk, and then renamed.
 */
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
        await writeFileDurably(target, bytes, unfinished);
      } catch (error) {
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

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}

function failed(action: string, cause: unknown): SednaError {
  const full = ["ENOSPC", "EDQUOT"].includes(String(codeOf(cause)));
  const why = messageOf(cause);
  return new SednaError(
    `${action}: expected ${full ? "free space on the disk" : "access to the disk"}; got ${why}`,
    {
      code: full ? "storage-full" : "storage-failed",
      retryable: true,
      cause,
    },
  );
}
