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
 * A log as one directory: `log.jsonl`, a line of JSON an append behind the CRC-32 of its bytes, and `blobs/`.
 * Lines are flushed before they are acknowledged; blobs are written beside their place, flushed, and renamed
 * into it. What was being written at a death is dropped when it is opened again.
 */
export function directoryFederationLog(directory: string): FederationLog {
  const path = join(directory, "log.jsonl");
  const folder = join(directory, "blobs");
  let opened: { handle: FileHandle; size: number; readonly release: () => Promise<void> } | undefined;
  const using = (): NonNullable<typeof opened> => {
    if (!opened)
      throw new SednaError(`write the log in ${directory}: expected one that is open; got a closed one`, {
        code: "storage-failed",
      });
    return opened;
  };

  return {
    async open() {
      if (opened)
        throw new SednaError(`open the log in ${directory}: expected one that is not open; got one that is`, {
          code: "storage-failed",
        });
      await guard(`open the log in ${directory}`, async () => {
        await mkdir(folder, { recursive: true });
        const { release } = await lockDirectory(directory, "open the log");
        try {
          for (const name of await readdir(folder))
            if (name.endsWith(TEMPORARY)) await rm(join(folder, name), { force: true });
          const handle = await open(path, "a+");
          const { size } = readLines(await readFile(path));
          await handle.truncate(size);
          await syncDirectory(directory);
          opened = { handle, size, release };
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
          // Half a line would spoil the next one.
          await log.handle.truncate(log.size);
          throw error;
        }
      });
    },
    async replace(records) {
      const log = using();
      await guard(`begin the log in ${directory} anew`, async () => {
        const temporary = `${path}${TEMPORARY}`;
        const line = lineOf(records);
        await rm(temporary, { force: true });
        // Opened under its first name, and kept: nothing that may fail stands between the new file's place
        // and its use.
        const anew = await open(temporary, "ax+");
        try {
          await anew.appendFile(line);
          await anew.datasync();
          await rename(temporary, path);
        } catch (error) {
          await anew.close();
          throw error;
        }
        const former = log.handle;
        log.handle = anew;
        log.size = line.length;
        await former.close();
        await syncDirectory(directory);
      });
    },
    async putBlob(name, bytes) {
      checkBlobName(name);
      using();
      await guard(`keep the blob ${name} in ${directory}`, async () => {
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
        // Of its own: what is read may be views of a pool, at any offset.
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

/** Records as one line. */
function lineOf(records: readonly FederationRecord[]): Buffer {
  const text = Buffer.from(JSON.stringify(records));
  return Buffer.concat([
    Buffer.from(`${crc32(text).toString(16).padStart(SUM_LENGTH, "0")} `),
    text,
    Buffer.from("\n"),
  ]);
}

/**
 * The records of whole lines; `size` is where the last of them ends. What was being written at a death is the
 * end of the file.
 * @throws {SednaError} `storage-failed` on damage before that: what follows it was acknowledged, and must not
 * be dropped in silence.
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
        `read the log: expected whole lines; got damage at byte ${size}, and more behind it`,
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
