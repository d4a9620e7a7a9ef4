import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Flushes a directory, so that new names in it survive a power cut. Windows cannot open directories and needs
 * no flush.
 */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Writes a file so that a crash or a power cut leaves the old content or the new, whole: writes a temporary
 * file, flushes it, renames it, and flushes the directory. On failure the temporary file is removed.
 *
 * @param temporary Path of the temporary file, in the same directory; no other writer may use it.
 *
 * @example
 * ```ts
 * import { writeFileDurably } from "@sedna-js/core/node";
 * import { mkdtemp, readFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const path = join(await mkdtemp(join(tmpdir(), "state-")), "state.json");
 * await writeFileDurably(path, new TextEncoder().encode("{}"), `${path}.tmp`);
 * console.log(await readFile(path, "utf8")); // => {}
 * ```
 */
export async function writeFileDurably(path: string, bytes: Uint8Array, temporary: string): Promise<void> {
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
