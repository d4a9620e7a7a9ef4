import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { lockDirectory, syncDirectory, writeFileDurably } from "@sedna-js/core/node";
import { checkBlobName, type FederationLog, type FederationRecord } from "./federation-log.ts";

const TEMPORARY = ".tmp";
const SUM_LENGTH = 8;

/**
 * Creates a log in one directory. `log.jsonl` has one line for each append: the CRC-32 of the JSON bytes,
 * then the JSON. `blobs/` has the blobs. Lines are flushed before they are acknowledged; blobs are written to
 * a temporary file, flushed, and renamed. A write that a crash interrupted is dropped when the log is opened
 * again.
 */
export function directoryFederationLog(directory: string): FederationLog {
  const path = join(directory, "log.jsonl");
  const folder = join(directory, "blobs");
  let opened: { handle: FileHandle; size: number; readonly release: () => Promise<void> } | undefined;
  const using = (): NonNullable<typeof opened> => {
    if (!opened)
      throw new SednaError(`use the log in ${directory}: expected an open log; got a closed one`, {
        code: "storage-failed",
      });
    return opened;
  };

  return {
    async open() {
      if (opened)
        throw new SednaError(`open the log in ${directory}: expected a closed log; got an open one`, {
          code: "storage-failed",
        });
      await guard(`open the log in ${directory}`, async () => {
        await mkdir(folder, { recursive: true });
        const { release } = await lockDirectory(directory, "open the log");
        try {
          for (const name of await readdir(folder))
            if (name.endsWith(TEMPORARY)) await rm(join(folder, name), { force: true });
          const handle = await open(path, "a+");
          try {
            const { size } = readLines(await readFile(path));
            await handle.truncate(size);
            await syncDirectory(directory);
            opened = { handle, size, release };
          } catch (error) {
            await handle.close();
            throw error;
          }
        } catch (error) {
          await release();
          throw error;
        }
      });
    },
    async read() {
      using();
      return guard(`read the log in ${directory}`, async () => readLines(await readFile(path)).records);
    },
    async append(records) {
      const log = using();
      await guard(`append to the log in ${directory}`, async () => {
        const line = lineOf(records);
        try {
          await log.handle.appendFile(line);
          await log.handle.datasync();
          log.size += line.length;
        } catch (error) {
          // A partial line would damage the next one.
          await log.handle.truncate(log.size);
          throw error;
        }
      });
    },
    async replace(records) {
      const log = using();
      await guard(`replace the log in ${directory}`, async () => {
        const temporary = `${path}${TEMPORARY}`;
        const line = lineOf(records);
        await rm(temporary, { force: true });
        // Keep the handle that was opened under the temporary name: after the rename, nothing that may fail
        // precedes the use of the new file.
        const replacement = await open(temporary, "ax+");
        try {
          await replacement.appendFile(line);
          await replacement.datasync();
          await rename(temporary, path);
        } catch (error) {
          await replacement.close();
          throw error;
        }
        const former = log.handle;
        log.handle = replacement;
        log.size = line.length;
        await former.close();
        await syncDirectory(directory);
      });
    },
    async putBlob(name, bytes) {
      checkBlobName(name);
      using();
      await guard(`write the blob ${name} in ${directory}`, async () => {
        const temporary = join(folder, `${randomUUID()}${TEMPORARY}`);
        await writeFileDurably(join(folder, name), bytes, temporary);
      });
    },
    async getBlob(name) {
      checkBlobName(name);
      using();
      return guard(`read the blob ${name} in ${directory}`, async () => {
        const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT") return undefined;
          throw error;
        });
        // Copy: the read bytes may be a view of a pool, at any offset.
        return bytes && new Uint8Array(bytes);
      });
    },
    async blobs() {
      using();
      return guard(`list the blobs in ${directory}`, async () =>
        (await readdir(folder)).filter((name) => !name.endsWith(TEMPORARY)),
      );
    },
    async deleteBlob(name) {
      checkBlobName(name);
      using();
      await guard(`delete the blob ${name} in ${directory}`, () => rm(join(folder, name), { force: true }));
    },
    async close() {
      const log = opened;
      opened = undefined;
      await log?.handle.close();
      await log?.release();
    },
  };
}

/** Encodes records as one line. */
function lineOf(records: readonly FederationRecord[]): Buffer {
  const text = Buffer.from(JSON.stringify(records));
  return Buffer.concat([
    Buffer.from(`${crc32(text).toString(16).padStart(SUM_LENGTH, "0")} `),
    text,
    Buffer.from("\n"),
  ]);
}

/**
 * Reads the records of complete lines; `size` is the offset at which the last of them ends. An incomplete end
 * of the file is a write that a crash interrupted.
 * @throws {SednaError} `storage-failed` If complete lines follow the damage: they were acknowledged and must
 * not be dropped silently.
 */
function readLines(bytes: Buffer): { readonly records: FederationRecord[]; readonly size: number } {
  const records: FederationRecord[] = [];
  let size = 0;
  let damaged = false;
  for (
    let start = 0, end = bytes.indexOf(0x0a);
    end >= 0;
    start = end + 1, end = bytes.indexOf(0x0a, start)
  ) {
    const text = bytes.subarray(start + SUM_LENGTH + 1, end);
    const isWhole =
      end - start > SUM_LENGTH &&
      crc32(text) === Number.parseInt(bytes.toString("latin1", start, start + SUM_LENGTH), 16);
    if (isWhole && damaged)
      throw new SednaError(
        `read the log: expected complete lines; got damage at byte ${size}, and more records after it`,
        { code: "storage-failed" },
      );
    damaged ||= !isWhole;
    if (damaged) continue;
    records.push(...(JSON.parse(text.toString()) as FederationRecord[]));
    size = end + 1;
  }
  return { records, size };
}

async function guard<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SednaError || cause instanceof RangeError) throw cause;
    const isFull = ["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException | null)?.code ?? "");
    throw new SednaError(
      `${action}: expected ${isFull ? "free space on the disk" : "a directory to read and write"}; got ${messageOf(cause)}`,
      { code: isFull ? "storage-full" : "storage-failed", retryable: isFull, cause },
    );
  }
}
