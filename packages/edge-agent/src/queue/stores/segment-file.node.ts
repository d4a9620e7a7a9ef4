import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import {
  encodeSegmentHead,
  readBody,
  readRecords,
  readSalt,
  SEGMENT_HEAD_BYTES,
  type RecordAt,
} from "./log-records.node.ts";

/** A segment file of the log. Segments are ordered by their number. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly salt: Uint8Array;
  /** Size of the intact content, in bytes. */
  size: number;
  /** Number of entries that are not deleted. */
  live: number;
  liveBytes: number;
}

/** Creates an empty segment on the disk. Leaves no file if that fails. */
export async function createSegment(
  directory: string,
  number: number,
): Promise<{ readonly segment: Segment; readonly handle: FileHandle }> {
  const path = join(directory, `${String(number).padStart(10, "0")}.log`);
  const salt = randomBytes(8);
  const handle = await open(path, "wx+");
  try {
    await writeAll(handle, { bytes: encodeSegmentHead(salt), at: 0 });
  } catch (error) {
    await handle.close();
    await rm(path, { force: true });
    throw error;
  }
  return { segment: { number, path, salt, size: SEGMENT_HEAD_BYTES, live: 0, liveBytes: 0 }, handle };
}

/** Lists the segments of a directory, oldest first. */
export async function segmentNumbers(
  directory: string,
): Promise<{ readonly number: number; readonly path: string }[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{10,15}\.log$/.test(name));
  return names
    .map((name) => ({ number: Number.parseInt(name, 10), path: join(directory, name) }))
    .toSorted((a, b) => a.number - b.number);
}

/** Reads the intact part of a segment from the disk. There is no `segment` if its head is damaged. */
export async function readSegment({
  number,
  path,
}: {
  readonly number: number;
  readonly path: string;
}): Promise<{
  readonly segment?: Segment;
  readonly records: readonly RecordAt[];
  readonly damagedNumber: number;
  readonly bytes: Uint8Array;
}> {
  const bytes = await readFile(path);
  const salt = readSalt(bytes);
  if (!salt) return { records: [], damagedNumber: 1, bytes };
  const { records, end, damagedNumber } = readRecords(bytes, salt);
  return { segment: { number, path, salt, size: end, live: 0, liveBytes: 0 }, records, damagedNumber, bytes };
}

/** Reads the body of the put record at an offset. Returns `undefined` if it is damaged or gone. */
export async function readBodyAt(
  { path, salt }: Segment,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<Uint8Array | undefined> {
  const handle = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw storageError("read an item", error);
  });
  if (!handle) return undefined;
  try {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) return undefined;
      filled += bytesRead;
    }
    return readBody(bytes, { salt, offset });
  } catch (error) {
    throw storageError("read an item", error);
  } finally {
    await handle.close();
  }
}

/** Writes all bytes, in as many writes as needed. */
export async function writeAll(
  handle: FileHandle,
  { bytes, at }: { readonly bytes: Uint8Array; readonly at: number },
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

/**
 * Converts an error of the file system to a `SednaError`: `storage-full` if there is no space, else
 * `storage-failed`.
 */
export function storageError(action: string, cause: unknown): SednaError {
  if (cause instanceof SednaError) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? "";
  const isFull = ["ENOSPC", "EDQUOT"].includes(code);
  return new SednaError(`${action}: expected the disk to accept it; got ${messageOf(cause)}`, {
    code: isFull ? "storage-full" : "storage-failed",
    retryable: isFull,
    cause,
  });
}
