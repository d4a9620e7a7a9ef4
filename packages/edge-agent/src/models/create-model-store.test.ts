import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { paddedOnnx, signingKey } from "../../../../testing/servers/model-publisher.ts";
import { failure, model, modelStoreFixture } from "../../../../testing/servers/model-store-fixture.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";
import type { ModelStore } from "./model-store.ts";

const at = modelStoreFixture(await signingKey("owner"));
const { folder, serve, storeIn } = at;
const runs = async (store: ModelStore): Promise<number | undefined> => {
  const found = await store.current();
  if (found) await found.read("model.onnx");
  return found?.manifest.version;
};
const blobs = async (directory: string): Promise<number> =>
  (await readdir(directory)).filter((name) => name.startsWith("blob-")).length;

describe("createModelStore()", () => {
  it("installs a signed model, reports progress, and loads the model offline after a restart", async () => {
    const directory = folder();
    await serve(model(1));
    expect(await runs(storeIn(directory))).toBeUndefined();
    const told: { done: number; total: number }[] = [];
    const installed = await storeIn(directory).install({ onProgress: (bytes) => told.push(bytes) });
    expect(installed.manifest).toMatchObject({ name: "tiny", version: 1 });
    expect(told.at(-1)).toEqual({ done: 3000, total: 3000 });
    at.server.files = new Map();
    const later = storeIn(directory);
    const found = (await later.current())!;
    expect(
      Buffer.from(await found.read("model.onnx")).equals(Buffer.from(model(1).content["model.onnx"])),
    ).toBe(true);
    await expect(found.read("other")).rejects.toBeInstanceOf(RangeError);
    expect(await later.versions()).toEqual([{ version: 1, state: "installed", trials: 0 }]);
    expect(await later.lastGood()).toBeUndefined();
  });

  it("checks the manifest without fetching files", async () => {
    await serve({ version: 7 });
    expect((await storeIn(memoryBytes()).check()).version).toBe(7);
    expect(at.server.asked).toEqual([]);
  });

  it("C13: keeps the old model if the new one is truncated, has a flipped bit, or is an HTML page, and installs it once it is correct", async () => {
    const directory = folder();
    const store = storeIn(directory);
    await serve(model(1));
    await store.install();
    await store.mark(1, "good");
    await serve({ ...model(2), version: 2 });
    const right = at.server.files;
    const whole = right.get("model.onnx")!;
    const wrong: readonly (readonly [string, Uint8Array])[] = [
      ["truncated", whole.subarray(0, 1500)],
      ["longer", new Uint8Array([...whole, 0])],
      ["one bit flipped", whole.map((byte, i) => (i === 1000 ? byte ^ 1 : byte))],
      ["an HTML page", new TextEncoder().encode("<html>".padEnd(whole.length))],
    ];
    for (const [, bytes] of wrong) {
      at.server.files = new Map(right).set("model.onnx", bytes);
      expect(await failure(store.install())).toMatchObject({ code: "model-unreadable" });
      expect(await runs(store)).toBe(1);
      expect(await runs(storeIn(directory))).toBe(1);
    }
    at.server.files = right;
    await store.install();
    expect(await store.versions()).toEqual([
      { version: 1, state: "good", trials: 0 },
      { version: 2, state: "installed", trials: 0 },
    ]);
    expect(await runs(store)).toBe(1);
  });

  it("C13: detects a bit flipped on the disk at the next read, reports it, and repairs it by installing again", async () => {
    const directory = folder();
    const damage: unknown[] = [];
    const store = storeIn(directory, { onDamage: (error) => damage.push(error) });
    await serve(model(1));
    const installed = await store.install();
    const blob = join(
      directory,
      (await readdir(directory)).find((name) => name.startsWith("blob-"))!,
    );
    const bytes = await readFile(blob);
    bytes[1234]! ^= 16;
    await writeFile(blob, bytes);
    expect(await failure(installed.read("model.onnx"))).toMatchObject({ code: "model-unreadable" });
    expect(await store.current()).toBeUndefined();
    expect(damage).toHaveLength(1);
    await store.install();
    expect(await runs(store)).toBe(1);
  });

  it("falls back to the previous good version if the files of the last one are gone from the disk", async () => {
    const directory = folder();
    const store = storeIn(directory);
    for (const version of [1, 2]) {
      await serve({ ...model(version), version });
      await store.install();
      await store.mark(version, "good");
    }
    const { sha256 } = (await store.current())!.manifest.files[0]!;
    await rm(
      join(
        directory,
        (await readdir(directory)).find((name) => name.includes(sha256))!,
      ),
    );
    expect(await runs(store)).toBe(1);
    expect((await store.lastGood())!.manifest.version).toBe(1);
  });

  it.skipIf(process.platform === "win32")(
    "survives a bad block: an older version runs, and unreadable files are fetched again",
    async () => {
      const directory = folder();
      const store = storeIn(directory);
      for (const version of [1, 2]) {
        await serve({ ...model(version), version });
        await store.install();
        await store.mark(version, "good");
      }
      const { sha256 } = (await store.current())!.manifest.files[0]!;
      const unreadable = async (name: string): Promise<void> => {
        await rm(join(directory, name));
        // Reading fails with EISDIR, as a bad block fails with EIO. Writing replaces the link.
        await symlink(tmpdir(), join(directory, name));
      };
      await unreadable((await readdir(directory)).find((name) => name.includes(sha256))!);
      expect(await runs(storeIn(directory))).toBe(1);
      await storeIn(directory).install();
      expect(await runs(storeIn(directory))).toBe(2);

      await unreadable("state.json");
      const damage: unknown[] = [];
      expect(await runs(storeIn(directory, { onDamage: (error) => damage.push(error) }))).toBe(2);
      expect(damage).toEqual([expect.objectContaining({ code: "storage-failed" })]);
      await unreadable("state-copy.json");
      expect(await failure(storeIn(directory).install())).toMatchObject({
        code: "storage-failed",
        retryable: true,
      });
    },
  );

  it("never offers a version again that was marked bad, and fetches none of its files", async () => {
    const directory = folder();
    await serve(model(1));
    await storeIn(directory).install();
    await storeIn(directory).mark(1, "bad");
    expect(await blobs(directory)).toBe(0);
    at.server.asked.length = 0;
    expect(await failure(storeIn(directory).install())).toMatchObject({
      code: "model-mismatch",
      retryable: false,
    });
    expect(at.server.asked).toEqual([]);
    expect(await storeIn(directory).current()).toBeUndefined();
    await serve({ ...model(2), version: 2 });
    await storeIn(directory).install();
    expect(await runs(storeIn(directory))).toBe(2);
  });

  it("keeps the running version and its files, even if it has not been marked good yet", async () => {
    const store = storeIn(folder());
    await serve(model(1));
    const running = await store.install();
    for (const version of [2, 3]) {
      await serve({ ...model(version), version });
      await store.install();
      expect((await running.read("model.onnx")).length).toBe(3000);
    }
    expect((await store.versions()).map(({ version }) => version)).toEqual([1, 3]);
    await store.mark(1, "good");
    await store.mark(3, "trial");
    await store.mark(3, "bad");
    expect(await runs(store)).toBe(1);
  });

  it("drops versions whose trials the process did not survive, once a newer version is installed", async () => {
    const directory = folder();
    await serve(model(1));
    await storeIn(directory).install();
    await storeIn(directory).mark(1, "good");
    for (const version of [2, 3, 4]) {
      await serve({ ...model(version), version });
      // A new store for each version, as after a restart.
      const store = storeIn(directory);
      expect(await runs(store)).toBe(1);
      await store.install();
      await store.mark(version, "trial");
      expect(await blobs(directory)).toBe(2);
    }
    expect((await storeIn(directory).versions()).map(({ version, state }) => [version, state])).toEqual([
      [1, "good"],
      [4, "trial"],
    ]);
  });

  it("keeps the newest and the last two good versions of a hundred, and stores shared files once", async () => {
    const directory = folder();
    const store = storeIn(directory);
    const shared = new Uint8Array(100).fill(7);
    for (let version = 1; version <= 100; version++) {
      await serve({ version, content: { "model.onnx": paddedOnnx(500, version), "labels.txt": shared } });
      await store.install();
      await store.mark(version, "trial");
      await store.mark(version, version % 3 === 0 ? "bad" : "good");
    }
    expect((await store.versions()).map(({ version, state, trials }) => [version, state, trials])).toEqual([
      [98, "good", 1],
      [100, "good", 1],
    ]);
    expect(await blobs(directory)).toBe(3);
    expect(at.server.asked.filter(({ path }) => path === "labels.txt")).toHaveLength(1);
    expect((await readdir(directory)).length).toBe(5);
  }, 30_000);

  it("resumes with the parts that were fetched before the process ended", async () => {
    const directory = folder();
    await serve(model(1, 2_500_000));
    const leaving = new AbortController();
    at.server.mischief = (request, response, body) => {
      if (!request.url!.endsWith(".onnx")) return false;
      response.writeHead(200, { "content-length": body!.length });
      response.write(body!.subarray(0, 1_500_000), () =>
        setTimeout(() => leaving.abort(new Error("ended")), 100),
      );
      return true;
    };
    await expect(storeIn(directory).install({ signal: leaving.signal })).rejects.toThrow("ended");
    at.server.mischief = undefined;
    await storeIn(directory).install();
    expect(Number(/\d+/.exec(at.server.asked.at(-1)!.range!)![0])).toBeGreaterThanOrEqual(2 ** 20);
    expect(await runs(storeIn(directory))).toBe(1);
  });

  it("C9: a crash at any write leaves a model that loads, and a store that works", async () => {
    const death = new Error("killed");
    for (let survives = 0, done = false; !done; survives++) {
      const disk = memoryBytes();
      const first = storeIn(disk);
      await serve({ ...model(1), version: 1 });
      await first.install();
      await first.mark(1, "good");
      let left = survives;
      const dying = (): void => {
        if (left-- <= 0) throw death;
      };
      const mortal: ByteStore = {
        ...disk,
        set: async (name, value) => (dying(), disk.set(name, value)),
        delete: async (name) => (dying(), disk.delete(name)),
      };
      await serve({ ...model(2), version: 2 });
      const store = storeIn(mortal);
      done = await store
        .install()
        .then(() => store.mark(2, "trial"))
        .then(() => store.mark(2, "bad"))
        .then(
          () => true,
          () => false,
        );
      expect(await runs(storeIn(disk))).toBe(1);
      const after = storeIn(disk);
      await serve({ ...model(3), version: 3 });
      await after.install();
      await after.mark(3, "good");
      expect(await runs(storeIn(disk))).toBe(3);
      if (survives > 30) throw new Error("expected the installation to finish");
    }
  });

  it("loses neither the good version nor the highest one to a flipped bit in the state", async () => {
    const directory = folder();
    await serve({ ...model(1), version: 4 });
    const old = at.server.files;
    const store = storeIn(directory);
    await store.install();
    await store.mark(4, "good");
    await serve({ ...model(2), version: 9 });
    await store.check();
    const state = await readFile(join(directory, "state.json"));
    for (const at of [0, 20, 100, Math.floor(state.length / 2), state.length - 1]) {
      const damage: unknown[] = [];
      await writeFile(
        join(directory, "state.json"),
        state.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      );
      expect(await runs(storeIn(directory, { onDamage: (error) => damage.push(error) }))).toBe(4);
      expect(damage).toHaveLength(1);
    }
    at.server.files = old;
    expect(await failure(storeIn(directory).install())).toMatchObject({ code: "model-outdated" });
  });

  it("C24: keeps the old model on a full disk, and nothing of the new one", async () => {
    const disk = memoryBytes({ maxBytes: 12_000 });
    const store = storeIn(disk);
    await serve(model(1));
    await store.install();
    await store.mark(1, "good");
    await serve({ ...model(2, 2_000_000), version: 2 });
    expect(await failure(store.install())).toMatchObject({ code: "storage-full", retryable: true });
    expect((await disk.keys()).filter((name) => name.startsWith("blob-"))).toHaveLength(1);
    expect(await runs(storeIn(disk))).toBe(1);
  });

  it("responds to calls during a download, and keeps the files that are complete", async () => {
    const store = storeIn(memoryBytes());
    await serve(model(1));
    await store.install();
    await serve({
      version: 2,
      content: { "model.onnx": paddedOnnx(3000, 2), "slow.bin": new Uint8Array(10).fill(1) },
    });
    const leaving = new AbortController();
    at.server.mischief = (request) => request.url!.endsWith("slow.bin");
    const installing = failure(store.install({ signal: leaving.signal }));
    await expect
      .poll(() => at.server.asked.map(({ path }) => path))
      .toEqual(["model.onnx", "model.onnx", "slow.bin"]);
    await store.mark(1, "good");
    expect(await runs(store)).toBe(1);
    leaving.abort(new Error("left"));
    expect((await installing).message).toBe("left");
    expect(await store.versions()).toEqual([{ version: 1, state: "good", trials: 0 }]);
    at.server.mischief = undefined;
    await store.install();
    expect(at.server.asked.map(({ path }) => path)).toEqual([
      "model.onnx",
      "model.onnx",
      "slow.bin",
      "slow.bin",
    ]);
  });
});
