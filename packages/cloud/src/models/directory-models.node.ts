import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { SednaError } from "@sedna-js/core";
import type { ModelFiles } from "./model-service.ts";

/**
 * Models as `sedna-cloud publish` lays them: in one directory a folder for each, with its name. A file that
 * is a link is not followed.
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
        // A file that is published anew is another one on the disk.
        etag: `"${stat.ino.toString(36)}-${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}"`,
        // The stream closes the file at its end, and when nobody reads on.
        read: ({ start, end }) => Readable.toWeb(handle.createReadStream({ start, end: end - 1 })) as never,
        close: () => handle.close(),
      };
    },
  };
}
