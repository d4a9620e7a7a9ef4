import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeAll } from "./segment-file.node.ts";

/** Disk space reserved for operations that free space on a full disk. */
export interface DiskReserve {
  /** Allocates the reserve, unless it is already allocated or the disk lacks the space. */
  hold(): Promise<void>;
  /** Frees the reserve for the next write. Resolves with `false` if there was none. */
  free(): Promise<boolean>;
}

/**
 * Creates a reserve, which is a file of zeros. A delete also writes to the log, so a full disk would permit
 * neither deletes nor cleaning. Freeing the reserve permits both.
 */
export function diskReserve({
  directory,
  bytes,
}: {
  readonly directory: string;
  readonly bytes: number;
}): DiskReserve {
  const path = join(directory, "reserve");
  const isHeld = async (): Promise<boolean> =>
    ((await stat(path).catch(() => undefined))?.size ?? 0) >= bytes;
  return {
    async hold() {
      if (await isHeld()) return;
      try {
        const handle = await open(path, "w");
        try {
          await writeAll(handle, { bytes: new Uint8Array(bytes), at: 0 });
        } finally {
          await handle.close();
        }
      } catch {
        // No space now. The operation may succeed without the reserve, and the next cleaning tries again.
        await rm(path, { force: true }).catch(() => undefined);
      }
    },
    async free() {
      return rm(path).then(
        () => true,
        () => false,
      );
    },
  };
}
