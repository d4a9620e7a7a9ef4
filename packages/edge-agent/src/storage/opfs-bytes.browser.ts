import { SednaError } from "@sedna-js/core";
import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";

/**
 * A byte store of files in the origin's private file system, in a folder of its own. `createWritable` writes
 * beside the file and puts it in place when it is closed.
 * @throws {SednaError} `storage-failed` where the browser has none, or gives none to this page.
 */
export async function opfsBytes({ name }: { readonly name: string }): Promise<ByteStore> {
  const folder = await guarded("open the private file system", async () => {
    const root = await navigator.storage.getDirectory();
    return root.getDirectoryHandle(name, { create: true });
  });
  if (!("createWritable" in FileSystemFileHandle.prototype))
    throw new SednaError("open the private file system: expected createWritable; this browser has none", {
      code: "storage-failed",
    });

  return {
    get: (key) =>
      guarded(`read ${key}`, async () => {
        try {
          const handle = await folder.getFileHandle(checkKey(key));
          const value = new Uint8Array(await (await handle.getFile()).arrayBuffer());
          // Made for a value that a death has kept from it.
          return value.length > 0 ? value : undefined;
        } catch (error) {
          if (isNotFound(error)) return undefined;
          throw error;
        }
      }),
    set: (key, bytes) =>
      guarded(`store ${key}`, async () => {
        checkValue(bytes);
        const handle = await folder.getFileHandle(checkKey(key), { create: true });
        const writable = await handle.createWritable();
        try {
          await writable.write(bytes);
          await writable.close();
        } catch (error) {
          await writable.abort().catch(() => {});
          // A file that was made for this and got nothing would be listed.
          if ((await handle.getFile()).size === 0) await folder.removeEntry(key).catch(() => {});
          throw error;
        }
      }),
    delete: (key) =>
      guarded(`delete ${key}`, async () => {
        try {
          await folder.removeEntry(checkKey(key));
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }),
    keys: () =>
      guarded("list what is stored", async () => {
        const names: string[] = [];
        for await (const key of (folder as unknown as { keys(): AsyncIterable<string> }).keys())
          if (!key.endsWith(".crswap")) names.push(key);
        return names;
      }),
  };
}

/** Runs work on the browser's storage, and tells its failures in our own words. */
export async function guarded<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SednaError || cause instanceof RangeError) throw cause;
    const full = cause instanceof DOMException && cause.name === "QuotaExceededError";
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new SednaError(
      `${action}: expected ${full ? "room in the browser's storage" : "to use the browser's storage"}; got ${why}`,
      { code: full ? "storage-full" : "storage-failed", retryable: true, cause },
    );
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}
