import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SednaError } from "@sedna-js/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byteStoreSuite } from "../../../../testing/suites/byte-store-suite.ts";
import { fallbackBytes } from "./fallback-bytes.ts";
import { fileBytes } from "./file-bytes.node.ts";
import { memoryBytes } from "./memory-bytes.ts";

const paths = { folder: "", made: 0 };
beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "sedna-bytes-"))));
afterAll(() => rm(paths.folder, { recursive: true }));
const fresh = (): string => join(paths.folder, String(paths.made++));

byteStoreSuite("memory", async () => {
  const store = memoryBytes();
  return async () => store;
});
byteStoreSuite("files", async () => {
  const directory = join(fresh(), "deep");
  return async () => fileBytes({ directory });
});
byteStoreSuite("files, or memory when the disk is full", async () => {
  const directory = fresh();
  return async () => fallbackBytes({ first: fileBytes({ directory }), memory: memoryBytes() });
});
byteStoreSuite("memory, without space for files", async () => {
  const store = fallbackBytes({ first: memoryBytes({ maxBytes: 0 }), memory: memoryBytes() });
  return async () => store;
});

describe("fileBytes()", () => {
  it("removes files left unfinished by a crash, and keeps the values", async () => {
    const directory = fresh();
    await fileBytes({ directory }).set("a", Uint8Array.of(1));
    await writeFile(join(directory, "a.123-0.part~"), "half");
    await writeFile(join(directory, "b.123-1.part~"), "half");
    expect(await fileBytes({ directory }).keys()).toEqual(["a"]);
    expect(await readdir(directory)).toEqual(["a"]);
  });

  it("keeps the previous value if a new one cannot be written, and leaves no temporary file", async () => {
    const directory = fresh();
    const store = fileBytes({ directory });
    await store.set("a", Uint8Array.of(1));
    // A file cannot replace a directory, not even for root, which permissions do not restrict.
    await mkdir(join(directory, "b"));
    await expect(store.set("b", Uint8Array.of(2))).rejects.toMatchObject({ code: "storage-failed" });
    expect(await readdir(directory)).toEqual(["a", "b"]);
    expect([...(await readFile(join(directory, "a")))]).toEqual([1]);
  });

  it("reports a disk that cannot be used", async () => {
    const file = join(fresh(), "a");
    await fileBytes({ directory: join(file, "..") }).set("a", Uint8Array.of(1));
    await expect(fileBytes({ directory: file }).set("b", Uint8Array.of(1))).rejects.toMatchObject({
      code: "storage-failed",
      retryable: true,
    });
    await expect(fileBytes({ directory: file }).keys()).rejects.toMatchObject({ code: "storage-failed" });
  });
});

describe("fallbackBytes()", () => {
  it("C7: falls back to memory when the disk is full, reports it, and switches back when there is space", async () => {
    const told: unknown[] = [];
    const first = memoryBytes({ maxBytes: 10 });
    const store = fallbackBytes({
      first,
      memory: memoryBytes(),
      onDegraded: ({ key, error }) => told.push([key, (error as SednaError).code]),
    });
    await store.set("small", new Uint8Array(8).fill(1));
    await store.set("large", new Uint8Array(8).fill(2));
    expect(told).toEqual([["large", "storage-full"]]);
    expect(await first.keys()).toEqual(["small"]);
    expect([...(await store.keys())].toSorted()).toEqual(["large", "small"]);
    expect((await store.get("large"))![0]).toBe(2);
    await store.delete("small");
    await store.set("large", new Uint8Array(8).fill(3));
    expect((await first.get("large"))![0]).toBe(3);
    expect((await store.get("large"))![0]).toBe(3);
  });
});
