import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SednaError, type Tensor } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ByteStore } from "../storage/byte-store.ts";
import { fileBytes } from "../storage/file-bytes.node.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";
import { createFeatureCache } from "./feature-cache.ts";

const paths = { folder: "", made: 0 };
beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "sedna-features-"))));
afterAll(() => rm(paths.folder, { recursive: true }));
const fresh = (): string => join(paths.folder, String(paths.made++));

const sampleOf = (i: number): Float32Array => Float32Array.of(i, i + 0.5);
const featuresOf = (i: number, width = 50): Float32Array =>
  Float32Array.from({ length: width }, (_, f) => Math.fround(i + f / 7));
const open = (
  directory: string,
  {
    model = "net",
    maxBytes = 2 ** 20,
    onError = (error: unknown): void => {
      throw error;
    },
  } = {},
) => createFeatureCache({ store: fileBytes({ directory }), model, maxBytes, onError });
async function fill(cache: ReturnType<typeof open>, numbers: readonly number[]): Promise<void> {
  for (const i of numbers) await cache.put(await cache.keyOf(sampleOf(i)), featuresOf(i));
  await cache.flush();
}
async function held(cache: ReturnType<typeof open>, numbers: readonly number[]): Promise<number[]> {
  const found: number[] = [];
  for (const i of numbers) {
    const features = await cache.get(await cache.keyOf(sampleOf(i)));
    if (!features) continue;
    expect(features).toEqual(featuresOf(i));
    found.push(i);
  }
  return found;
}
const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);
const bytesIn = async (directory: string): Promise<number> =>
  (
    await Promise.all(
      (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size),
    )
  ).reduce((sum, size) => sum + size, 0);

describe("createFeatureCache()", { timeout: 30_000 }, () => {
  it("returns features in the next process, only for the same model, from few files", async () => {
    const directory = fresh();
    await fill(open(directory), upTo(500));
    expect((await readdir(directory)).length).toBeLessThanOrEqual(3);
    const next = open(directory);
    expect(await held(next, upTo(500))).toEqual(upTo(500));
    expect(next.statistics).toMatchObject({ hits: 500, misses: 0, entries: 500 });
    expect(await held(open(directory, { model: "net 2" }), upTo(500))).toEqual([]);
  });

  it("returns a copy of what was put, even before it is written", async () => {
    const cache = open(fresh());
    const key = await cache.keyOf(sampleOf(1));
    const given = featuresOf(1);
    await cache.put(key, given);
    given.fill(0);
    (await cache.get(key))!.fill(0);
    expect(await cache.get(key)).toEqual(featuresOf(1));
  });

  it("appends a few entries at a time to the existing block", async () => {
    const directory = fresh();
    for (const i of upTo(20)) await fill(open(directory), [i]);
    expect((await readdir(directory)).filter((name) => name !== "features-order")).toHaveLength(1);
    expect(await held(open(directory), upTo(20))).toEqual(upTo(20));
  });

  it("stays within maxBytes and evicts the least recently used blocks, in the next process too", async () => {
    const directory = fresh();
    const maxBytes = 64 * 1024;
    const cache = open(directory, { maxBytes });
    await fill(cache, upTo(150));
    // The first entries were used again, so they outlive those after them.
    expect(await held(cache, upTo(20))).toEqual(upTo(20));
    await cache.flush();
    const next = open(directory, { maxBytes });
    await fill(next, upTo(150, 1000));
    expect(await bytesIn(directory)).toBeLessThanOrEqual(maxBytes + 200);
    expect(next.statistics.bytes).toBeLessThanOrEqual(maxBytes);
    expect(await held(next, upTo(20))).toEqual(upTo(20));
    expect(await held(next, upTo(20, 1130))).toEqual(upTo(20, 1130));
    expect((await held(next, upTo(130, 20))).length).toBeLessThan(120);
  });

  it("never returns features that a flipped bit or a cut damaged, and stores them again", async () => {
    const directory = fresh();
    await fill(open(directory), upTo(40));
    const [name] = (await readdir(directory)).filter((one) => one !== "features-order");
    const file = join(directory, name!);
    const good = await readFile(file);
    const damages: Uint8Array[] = [good.subarray(0, good.length - 5), good.subarray(0, 3)];
    for (let at = 0; at < good.length; at += 389) {
      const flipped = Uint8Array.from(good);
      flipped[at]! ^= 1 << (at % 8);
      damages.push(flipped);
    }
    for (const damaged of damages) {
      await writeFile(file, damaged);
      const cache = open(directory);
      // held() compares all features with the expected ones.
      await held(cache, upTo(40));
      await fill(cache, upTo(40));
      expect(await held(open(directory), upTo(40))).toEqual(upTo(40));
      for (const one of await readdir(directory)) await rm(join(directory, one));
    }
  });

  it("works without its store if the store fails, and reports the error", async () => {
    const told: unknown[] = [];
    const broken: ByteStore = {
      ...memoryBytes(),
      set: async () => Promise.reject(new SednaError("no room", { code: "storage-full" })),
    };
    const cache = createFeatureCache({
      store: broken,
      model: "net",
      maxBytes: 1000_000,
      onError: (error) => told.push((error as SednaError).code),
    });
    const key = await cache.keyOf(sampleOf(1));
    await cache.put(key, featuresOf(1));
    await cache.flush();
    expect(told).toEqual(["storage-full"]);
    expect(await cache.get(key)).toBeUndefined();
    const never = createFeatureCache({
      store: Promise.reject(new SednaError("no disk", { code: "storage-failed" })),
      model: "net",
      maxBytes: 1000,
      onError: (error) => told.push((error as SednaError).code),
    });
    expect(await never.get(key)).toBeUndefined();
    expect(told).toEqual(["storage-full", "storage-failed"]);
  });

  it("has a distinct key for each content: numbers, bytes, tensors, frames", async () => {
    const cache = open(fresh());
    const tensor = (shape: number[], value: number): Tensor => ({
      dtype: "float32",
      shape,
      data: new Float32Array(4).fill(value),
    });
    const pixels = (width: number, value: number) =>
      pixelsFrame(
        { width, height: 4 / width, data: new Uint8Array(16).fill(value) },
        { timestamp: 0, sharp: () => Promise.reject(new Error("not needed")) },
      );
    const samples = [
      new Float32Array(4),
      Float32Array.of(0, 0, 0, 1),
      new Uint8Array(16),
      tensor([4], 0),
      tensor([2, 2], 0),
      tensor([4], 1),
      { x: tensor([4], 0) },
      { y: tensor([4], 0) },
      { x: tensor([4], 0), y: tensor([4], 0) },
      pixels(2, 0),
      pixels(1, 0),
      pixels(2, 1),
    ];
    const keys = await Promise.all(samples.map((sample) => cache.keyOf(sample)));
    expect(new Set(keys).size).toBe(samples.length);
    expect(await cache.keyOf({ y: tensor([4], 0), x: tensor([4], 0) })).toBe(keys[8]);
    expect(await cache.keyOf(new Float32Array([9, 0, 0, 0, 0]).subarray(1))).toBe(keys[0]);
    await expect(cache.keyOf({ any: "thing" })).rejects.toThrow(TypeError);
    await expect(cache.keyOf("text")).rejects.toThrow(TypeError);
  });
});
