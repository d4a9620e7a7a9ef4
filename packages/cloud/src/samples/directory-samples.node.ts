import { syncDirectory } from "@sedna-js/core/node";
import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { readSampleUpload } from "@sedna-js/core/wire";
import { sameBytes, type SampleStore } from "./sample-store.ts";

const TEMPORARY = ".tmp";
/** Maximum size of the header of a sample's message, in bytes. */
const HEAD_BYTES = 4 + 2 ** 18;
const fileName = /^[0-9a-f]{64}$/;

/**
 * Creates a store that keeps samples as files in one directory, which no other server may use. A file's name
 * is the SHA-256 of its sample's id, so that client input never becomes a path. A sample is written to a
 * temporary file, flushed, and linked to its final name: a server that is killed at any point leaves the
 * complete sample or none, and a second sample of the same id cannot replace it.
 *
 * @throws {SednaError} The store's methods throw `storage-full`, retryable, if the disk is full, and
 * `storage-failed` on any other storage error.
 */
export function directorySamples(path: string): SampleStore {
  const fileOf = (id: string): string => join(path, createHash("sha256").update(id).digest("hex"));

  const writeNew = async (file: string, bytes: Uint8Array): Promise<boolean> => {
    const temporary = join(path, `${randomUUID()}${TEMPORARY}`);
    try {
      const handle = await open(temporary, "wx");
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await link(temporary, file);
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    } finally {
      await unlink(temporary).catch(() => {});
    }
    await syncDirectory(path);
    return true;
  };

  return {
    async open() {
      await guard(`open the samples in ${path}`, async () => {
        await mkdir(path, { recursive: true });
        for (const name of await readdir(path)) if (name.endsWith(TEMPORARY)) await unlink(join(path, name));
      });
    },
    async put(id, bytes) {
      return guard(`keep the sample ${id}`, async () => {
        const file = fileOf(id);
        const known =
          (await readIfThere(file)) ?? ((await writeNew(file, bytes)) ? undefined : await readFile(file));
        if (known === undefined) return "stored";
        // The file may have been linked by a server that was killed before it flushed the directory.
        await syncDirectory(path);
        return sameBytes(known, bytes) ? "duplicate" : "conflict";
      });
    },
    async read(id) {
      return guard(`read the sample ${id}`, () => readIfThere(fileOf(id)));
    },
    async list({ after = "", limit }) {
      return guard(`list the samples in ${path}`, async () => {
        const names = (await readdir(path)).filter((name) => fileName.test(name) && name > after).toSorted();
        const page = names.slice(0, limit);
        const ids: string[] = [];
        for (const name of page) {
          const id = await idOf(join(path, name));
          // Skip a file that another program created or that is corrupt.
          if (id !== undefined && fileOf(id) === join(path, name)) ids.push(id);
        }
        return names.length > limit ? { ids, next: page.at(-1)! } : { ids };
      });
    },
    async hasRoom(bytes) {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize >= bytes;
    },
  };
}

/**
 * Returns the sample id in a file's header without reading the whole file; `undefined` if the file has no
 * valid header.
 */
async function idOf(file: string): Promise<string | undefined> {
  const handle = await open(file, "r").catch(() => undefined);
  try {
    const { bytesRead, buffer } = (await handle?.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)) ?? {};
    return buffer && readSampleUpload(buffer.subarray(0, bytesRead)).head.id;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  return readFile(file).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
}

async function guard<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const isFull = ["ENOSPC", "EDQUOT"].includes(codeOf(cause) ?? "");
    const message = `${action}: expected ${isFull ? "free space on the disk" : "a directory to read and write"}; got ${messageOf(cause)}`;
    throw new SednaError(message, {
      code: isFull ? "storage-full" : "storage-failed",
      retryable: isFull,
      cause,
    });
  }
}

const codeOf = (error: unknown): string | undefined => (error as { readonly code?: string } | null)?.code;
