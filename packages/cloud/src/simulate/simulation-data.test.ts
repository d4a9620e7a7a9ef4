import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { idxDigits } from "./idx-digits.node.ts";
import { evaluateSoftmax } from "./run-simulation.ts";
import { splitData, gaussianData } from "./simulation-data.ts";

const digits = fileURLToPath(new URL("../../../../models/digits", import.meta.url));

describe("gaussianData()", () => {
  it("gives each client 20 to 60 samples, of few classes at alpha 0.05 and of most classes at alpha 100", () => {
    const means = [0.05, 100].map((alpha) => {
      const { parts, features, classes, test } = gaussianData({ clients: 50, alpha, seed: 3 });
      expect([parts.length, features, classes, test.labels.length, test.samples.length]).toEqual([
        50, 16, 10, 2000, 32_000,
      ]);
      for (const { samples, labels } of parts) {
        expect(labels.length).toSatisfy((size: number) => size >= 20 && size <= 60);
        expect(samples.length).toBe(16 * labels.length);
      }
      return parts.reduce((sum, { labels }) => sum + new Set(labels).size, 0) / 50;
    });
    expect(means[0]).toBeLessThan(3);
    expect(means[1]).toBeGreaterThan(8);
  });
});

describe("splitData()", () => {
  it("reserves every fifth sample for testing and assigns each other sample to one client", () => {
    const samples = Float32Array.from({ length: 200 }, (_, i) => Math.floor(i / 2));
    const { parts, test, features, classes } = splitData(
      { samples, labels: Uint32Array.from({ length: 100 }, (_, i) => i % 4) },
      { clients: 7, alpha: 1, seed: 1 },
    );
    expect([features, classes]).toEqual([2, 4]);
    expect(Array.from(test.samples.filter((_, i) => i % 2 === 0))).toEqual(
      Array.from({ length: 20 }, (_, i) => 5 * i),
    );
    const dealt = parts
      .flatMap((part) => Array.from(part.samples.filter((_, i) => i % 2 === 0)))
      .toSorted((a, b) => a - b);
    expect(dealt).toEqual(Array.from({ length: 100 }, (_, i) => i).filter((i) => i % 5 !== 0));
    for (const part of parts)
      for (const [row, label] of part.labels.entries()) expect(part.samples[2 * row]! % 4).toBe(label);
  });
});

describe("evaluateSoftmax()", () => {
  it("returns the mean cross-entropy and the share of samples whose most probable class is right", () => {
    // Two features, two classes: logits x and y, and a bias of 1 for the second.
    const model = Float32Array.of(1, 0, 0, 1, 0, 1);
    const { loss, accuracy } = evaluateSoftmax(model, {
      samples: Float32Array.of(3, 0, 0, 0),
      labels: Uint32Array.of(0, 0),
    });
    expect(accuracy).toBe(0.5);
    expect(loss).toBeCloseTo((Math.log(1 + Math.exp(-2)) + Math.log(1 + Math.exp(1))) / 2, 12);
  });
  it("stays finite if an exponential would overflow", () => {
    expect(
      evaluateSoftmax(Float32Array.of(1000, -1000, 0, 0), {
        samples: Float32Array.of(1),
        labels: Uint32Array.of(1),
      }).loss,
    ).toBe(2000);
  });
});

describe("idxDigits()", () => {
  const paths = { folder: "" };
  beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "sedna-idx-"))));
  afterAll(() => rm(paths.folder, { recursive: true }));
  const idx = (sizes: readonly number[], values: Uint8Array): Buffer => {
    const head = Buffer.alloc(4 + 4 * sizes.length);
    head.set([0, 0, 8, sizes.length]);
    for (const [i, size] of sizes.entries()) head.writeUInt32BE(size, 4 + 4 * i);
    return Buffer.concat([head, values]);
  };
  const write = async (images: Buffer, labels: Buffer): Promise<void> => {
    await writeFile(join(paths.folder, "t-images-idx3-ubyte"), images);
    await writeFile(join(paths.folder, "t-labels-idx1-ubyte.gz"), labels);
  };

  it("reads the original MNIST files", async () => {
    const { samples, labels } = await idxDigits(digits);
    expect([labels.length, samples.length]).toEqual([10_000, 10_000 * 14 * 14]);
    expect(new Set(labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(samples.every((value) => value >= 0 && value <= 1)).toBe(true);
  });
  it.each([
    ["no such files", undefined, undefined, "expected a file such as train-images-idx3-ubyte"],
    ["an invalid header", Buffer.from("<html></html>"), idx([1], Uint8Array.of(1)), "its header is invalid"],
    [
      "fewer bytes than its header declares",
      idx([2, 2, 2], new Uint8Array(7)),
      idx([2], Uint8Array.of(1, 2)),
      "its header declares 2 x 2 x 2 bytes; it has 7",
    ],
    [
      "a different number of labels",
      idx([2, 2, 2], new Uint8Array(8)),
      idx([3], Uint8Array.of(1, 2, 3)),
      "got 3 and 2",
    ],
    ["odd pictures", idx([1, 3, 3], new Uint8Array(9)), idx([1], Uint8Array.of(1)), "got 3 x 3"],
    [
      "a truncated gzip file",
      idx([1, 2, 2], new Uint8Array(4)),
      gzipSync(idx([1], Uint8Array.of(1))).subarray(0, 15),
      "expected an IDX file of bytes",
    ],
  ])("rejects %s with the reason", async (_, images, labels, reason) => {
    if (images && labels) await write(images, labels);
    const rejection = await idxDigits(paths.folder).catch((error: Error) => error);
    expect(rejection).toMatchObject({ name: "UsageError", message: expect.stringContaining(reason) });
  });
  it("reports a directory that cannot be read", async () => {
    await expect(idxDigits(join(paths.folder, "none"))).rejects.toThrow(
      "--digits: expected a readable directory",
    );
  });
});
