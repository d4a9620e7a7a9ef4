import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sample, sampleStoreSuite } from "../../../../testing/suites/sample-store-suite.ts";
import { directorySamples } from "./directory-samples.node.ts";
import { memorySamples } from "./sample-store.ts";

const paths = { folder: "" };
beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "samples-"))));
afterAll(() => rm(paths.folder, { recursive: true }));
const fresh = (): Promise<string> => mkdtemp(join(paths.folder, "d-"));

sampleStoreSuite("memory", async () => memorySamples());
sampleStoreSuite("a directory", async () => directorySamples(join(await fresh(), "made", "on", "open")));

describe("memorySamples()", () => {
  it("throws if it is full and keeps the stored samples", async () => {
    const store = memorySamples({ maxBytes: sample("a").length });
    await store.put("a", sample("a"));
    await expect(store.put("b", sample("b"))).rejects.toMatchObject({
      code: "storage-full",
      retryable: true,
    });
    expect(await store.put("a", sample("a"))).toBe("duplicate");
  });
});

describe("directorySamples()", () => {
  it("uses only hashes as file names and leaves no temporary files", async () => {
    const path = await fresh();
    const store = directorySamples(path);
    await store.open();
    for (const id of ["../up", "a/b"]) await store.put(id, sample(id));
    await Promise.all(Array.from({ length: 10 }, () => store.put("same", sample("same"))));
    for (const name of await readdir(path)) expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(await readdir(path)).toHaveLength(3);
  });

  it("reopens with all stored samples and removes the partial files of a killed server", async () => {
    const path = await fresh();
    const before = directorySamples(path);
    await before.open();
    await before.put("a", sample("a"));
    await writeFile(join(path, "half.tmp"), sample("b").subarray(0, 20));
    const after = directorySamples(path);
    await after.open();
    expect(await readdir(path)).toHaveLength(1);
    expect(await after.put("a", sample("a"))).toBe("duplicate");
  });

  it("lists only files that are samples", async () => {
    const path = await fresh();
    const store = directorySamples(path);
    await store.open();
    await store.put("a", sample("a"));
    await writeFile(join(path, "notes.txt"), "mine");
    await writeFile(join(path, "0".repeat(64)), sample("misplaced"));
    await writeFile(join(path, "1".repeat(64)), "no sample");
    await mkdir(join(path, "2".repeat(64)));
    await symlink("/etc/passwd", join(path, "3".repeat(64)));
    expect((await store.list({ limit: 100 })).ids).toEqual(["a"]);
  });

  it("reports a path that is not a directory", async () => {
    const file = join(await fresh(), "file");
    await writeFile(file, "");
    await expect(directorySamples(file).open()).rejects.toMatchObject({
      code: "storage-failed",
      message: expect.stringContaining(`open the samples in ${file}: expected a directory`),
    });
  });
});
