import { afterAll, describe, expect, it } from "vitest";
import { createPython } from "./python.ts";

const python = await createPython();
const reason = python.available ? undefined : python.reason;
const skipped = reason === undefined ? "" : ` (SKIPPED: ${reason})`;

/** Returns the Python process. Only tests that are skipped without Python call it. */
function running() {
  if (!python.available) throw new Error(python.reason);
  return python;
}

afterAll(async () => {
  if (python.available) await python.dispose();
});

/** Returns reproducible numbers in -1..1, some of them exact. */
function noise(length: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from(
    { length },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 23 - 1,
  );
}

describe("createPython()", () => {
  it("reports that the interpreter is missing", async () => {
    expect(await createPython({ python: "/nowhere/python" })).toEqual({
      available: false,
      reason: "no Python environment in bench/peers/.venv; create it with npm run bench -- peers",
    });
  });

  it("reports that the interpreter cannot run the server", async () => {
    expect(await createPython({ python: process.execPath })).toEqual({
      available: false,
      reason: expect.stringContaining("Python exited with code"),
    });
  });

  it.skipIf(reason)(`reports versions, and times in ms${skipped}`, async () => {
    const { version, numpy, run } = running();
    expect(version).toMatch(/^3\.\d+/);
    expect(numpy).toMatch(/^\d+\.\d+\.\d+, \S*blas/i);
    expect(await run("fedavg/inplace", { clients: 3, length: 1003, seed: 1 })).toBeGreaterThan(0);
  });

  it.skipIf(reason)(`rejects with Python's error and continues${skipped}`, async () => {
    const { run, put, check } = running();
    await expect(run("fedavg/none", {})).rejects.toThrow("unknown contestant fedavg/none");
    await expect(run("fedavg/gemv", { clients: 3 })).rejects.toThrow("KeyError");
    await expect(put("x", { values: new Float32Array(3), shape: [2, 2] })).rejects.toThrow(
      "put x: expected 4 elements for shape [2, 2]; got 3",
    );
    expect(await check("fedavg/gemv", { clients: 1, length: 3, seed: 1 })).toHaveLength(4);
  });
});

describe("contestants in Python", () => {
  for (const name of ["inplace", "blocked", "gemv", "expression", "flower", "sedna", "sedna-lists"]) {
    for (const length of [1, 5, 1003, 140_000]) {
      it.skipIf(reason)(
        `fedavg/${name} of ${length} elements is the mean weighted by sample counts${skipped}`,
        async () => {
          const { put, check } = running();
          const clients = 4;
          const values = noise(clients * length);
          await put("updates", { values, shape: [clients, length] });
          const mean = Float64Array.from({ length }, (_, i) =>
            [0, 1, 2, 3].reduce((sum, k) => sum + (values[k * length + i]! * (k + 1)) / 10, 0),
          );
          const [first, middle, last, total] = await check(`fedavg/${name}`, {
            clients,
            length,
            updates: "updates",
          });
          expect(first).toBeCloseTo(mean[0]!, 5);
          expect(middle).toBeCloseTo(mean[length >> 1]!, 5);
          expect(last).toBeCloseTo(mean[length - 1]!, 5);
          expect(total! / length).toBeCloseTo(mean.reduce((a, b) => a + b) / length, 6);
        },
      );
    }
  }

  it.skipIf(reason)(`fedavg in blocks equals fedavg in one piece${skipped}`, async () => {
    const params = { clients: 3, length: 2_100_001, seed: 7 };
    const [a, b] = [
      await running().check("fedavg/inplace", params),
      await running().check("fedavg/gemv", params),
    ];
    await running().forget();
    for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i]!, i === 3 ? 0 : 5);
  });

  for (const queries of [1, 16]) {
    it.skipIf(reason)(
      `cosine finds the rows of the highest products for ${queries} queries${skipped}`,
      async () => {
        const { put, check } = running();
        const [rows, dimensions, top] = [1003, 20, 10];
        const gallery = noise(rows * dimensions);
        const query = noise(queries * dimensions, 99);
        await put("gallery", { values: gallery, shape: [rows, dimensions] });
        await put("query", { values: query, shape: [queries, dimensions] });
        const score = (m: number, n: number): number =>
          query
            .slice(m * dimensions, (m + 1) * dimensions)
            .reduce((sum, value, d) => sum + value * gallery[n * dimensions + d]!, 0);
        const first = Array.from({ length: rows }, (_, n) => n)
          .toSorted((a, b) => score(0, b) - score(0, a))
          .slice(0, top);
        const params = { rows, dimensions, queries, top, gallery: "gallery", query: "query" };
        expect(await check("cosine/rows", params)).toEqual(first);
        expect(await check("cosine/columns", params)).toEqual(first);
        const highest = Array.from({ length: queries * rows }, (_, i) => ({
          row: i % rows,
          score: score(Math.floor(i / rows), i % rows),
        })).reduce((a, b) => (b.score > a.score ? b : a));
        expect(await check("cosine/sedna", params)).toEqual([highest.row]);
      },
    );
  }

  for (const form of ["numpy", "tuned", "sedna"]) {
    it.skipIf(reason)(
      `ibt/${form} marks an image as hard if at least half of its boxes score at most .5${skipped}`,
      async () => {
        const [samples, width] = [16_500, 20];
        const values = noise(samples * width, 3).map((value) => Math.abs(value));
        values[3] = 1.5;
        values[width + 4] = -0.25;
        values[2 * width] = -0;
        values[3 * width] = Number.NaN;
        const hard = Array.from({ length: samples }, (_, i) =>
          values.slice(i * width, (i + 1) * width),
        ).flatMap((row, i) =>
          row.every((one) => one >= 0 && one <= 1) && row.filter((one) => one <= 0.5).length / width >= 0.5
            ? [i]
            : [],
        );
        await running().put("scores", { values, shape: [samples, width] });
        expect(await running().check(`ibt/${form}`, { samples, width, scores: "scores" })).toEqual([
          hard.length,
          hard.reduce((a, b) => a + b, 0),
        ]);
      },
    );

    it.skipIf(reason)(
      `ce/${form} marks a sample as hard if 1 + sum(p ln p) / ln C is below .5${skipped}`,
      async () => {
        const [samples, width] = [2500, 7];
        const values = noise(samples * width, 5).map((value) => Math.abs(value) / 3);
        values[3] = 1.5;
        values[width + 4] = -0.25;
        // Sedna's own code fails on ln 0.
        if (form !== "sedna") values[2 * width] = 0;
        const confidence = (row: Float32Array): number =>
          1 + row.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0) / Math.log(width);
        const hard = Array.from({ length: samples }, (_, i) =>
          values.slice(i * width, (i + 1) * width),
        ).flatMap((row, i) => (row.every((one) => one >= 0 && one <= 1) && confidence(row) < 0.5 ? [i] : []));
        expect(hard.length).toBeGreaterThan(100);
        await running().put("scores", { values, shape: [samples, width] });
        expect(await running().check(`ce/${form}`, { samples, width, scores: "scores" })).toEqual([
          hard.length,
          hard.reduce((a, b) => a + b, 0),
        ]);
      },
    );
  }
});
