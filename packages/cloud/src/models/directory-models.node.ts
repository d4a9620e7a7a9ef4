import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { SednaError } from "@sedna-js/core";
import type { ModelFiles } from "./model-service.ts";

/**
 * Returns the models that `sedna-cloud publish` wrote to one directory, each in a folder of its name. A file
 * that is a symbolic link is not opened.
 */
export function directoryModels(directory: string): ModelFiles {
  return {
    async open({ model, file }) {
      const handle = await open(
        join(directory, model, file),
        constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
      ).catch((error: unknown) => {
        const { code } = error as { readonly code?: string };
        if (["ENOENT", "ENOTDIR", "ELOOP", "EISDIR"].includes(code ?? "")) return undefined;
        throw new SednaError(`read ${file} of ${model}: expected a file; got ${String(error)}`, {
          code: "storage-failed",
          cause: error,
        });
      });
      if (!handle) return undefined;
      const stat = await handle.stat({ bigint: true });
      if (!stat.isFile()) return void (await handle.close());
      return {
        size: Number(stat.size),
        // A republished file is a new file on the disk, with another inode or modification time.
        etag: `"${stat.ino.toString(36)}-${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}"`,
        // The stream closes the file at its end or when it is canceled.
        read: ({ start, end }) => Readable.toWeb(handle.createReadStream({ start, end: end - 1 })) as never,
        close: () => handle.close(),
      };
    },
  };
}
