import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeAll } from "./segment-file.node.ts";

/** Disk that is held back for what makes room on a full one. */
export interface DiskReserve {
  /** Takes it, where it is not held already and the disk has it. */
  hold(): Promise<void>;
  /** Gives it to whoever writes next; false where there was none. */
  free(): Promise<boolean>;
}

/**
 * A file of zeros. To delete from a log is to write to it, so on a full disk a log could neither delete nor
 * be cleaned; freeing this lets it do both.
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
        // No room for it now. What it was for may still go well, and the next cleaning tries again.
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
