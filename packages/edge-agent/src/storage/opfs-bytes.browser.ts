import { SednaError } from "@sedna-js/core";
import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";

/**
 * Creates a byte store of files in the origin's private file system, in its own directory. `createWritable`
 * writes to a temporary file and replaces the target when it is closed.
 * @throws {SednaError} `storage-failed` if the browser has no private file system, or does not give this page
 * access.
 */
export async function opfsBytes({ name }: { readonly name: string }): Promise<ByteStore> {
  const folder = await guarded("open the private file system", async () => {
    const root = await navigator.storage.getDirectory();
    return root.getDirectoryHandle(name, { create: true });
  });
  if (!("createWritable" in FileSystemFileHandle.prototype))
    throw new SednaError("open the private file system: expected createWritable; got a browser without it", {
      code: "storage-failed",
    });

  return {
    get: (key) =>
      guarded(`read ${key}`, async () => {
        try {
          const handle = await folder.getFileHandle(checkKey(key));
          const value = new Uint8Array(await (await handle.getFile()).arrayBuffer());
          // Empty if a crash interrupted the first write.
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
          // Remove a file that was created for this value and is still empty: it would be listed.
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
      guarded("list the stored keys", async () => {
        const names: string[] = [];
        for await (const key of (folder as unknown as { keys(): AsyncIterable<string> }).keys())
          if (!key.endsWith(".crswap")) names.push(key);
        return names;
      }),
  };
}

/** Runs a browser storage operation, and converts its failure to a `SednaError`. */
export async function guarded<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SednaError || cause instanceof RangeError) throw cause;
    const full = cause instanceof DOMException && cause.name === "QuotaExceededError";
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new SednaError(
      `${action}: expected ${full ? "free space in the browser's storage" : "access to the browser's storage"}; got ${why}`,
      { code: full ? "storage-full" : "storage-failed", retryable: true, cause },
    );
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}
