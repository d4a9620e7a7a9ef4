import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { tensor, toNested, type Tensor } from "../tensor.ts";
import { FedAvg } from "./rules/fed-avg.ts";

// The golden vectors have no float32 arrays, but numpy has: its float32 rounding is what FedAvg reproduces
// bit for bit.

/** Independent implementation of Sedna's formula: reads rounds as JSON and writes their means. */
const FORMULA = `
import json, sys
import numpy as np
answers = []
for clients in json.load(sys.stdin):
    total = sum(one["n"] for one in clients)
    layers = []
    for i in range(len(clients[0]["layers"])):
        first = np.array(clients[0]["layers"][i], dtype=clients[0]["dtype"])
        mean = np.zeros(first.shape, dtype=np.float64)
        for one in clients:
            mean += (np.array(one["layers"][i], dtype=one["dtype"]) * one["n"]) / total
        layers.append(mean.tolist())
    answers.append(layers)
json.dump(answers, sys.stdout)
`;

const python = process.env["SEDNA_PYTHON"] ?? "python3";
const found = spawnSync(python, ["-c", "import numpy; print(numpy.__version__)"], { encoding: "utf8" });
/**
 * numpy before version 2 promotes a float32 and a number above 65535 to float64, and also a float32 scalar
 * and any number.
 */
const absent = found.error !== undefined || found.status !== 0 || Number.parseInt(found.stdout, 10) < 2;

/** Creates a generator of repeatable draws in [0,1). */
function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24;
}

interface Client {
  readonly n: number;
  readonly dtype: "float32" | "float64";
  readonly layers: readonly Tensor[];
}

function round(seed: number): Client[] {
  const next = draws(seed);
  const shapes = [[3, 5], [5], [], [2, 1, 4]];
  return Array.from({ length: 1 + Math.floor(next() * 7) }, () => {
    const dtype = next() < 0.7 ? "float32" : "float64";
    const number = (): number => (next() - 0.5) * 10 ** (8 * next() - 4);
    const layers = shapes.map((shape) => {
      const length = shape.reduce((product, axis) => product * axis, 1);
      const values = Array.from({ length }, number);
      return tensor(
        dtype,
        shape,
        dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values),
      );
    });
    // Occasionally more samples than float32 can count one by one.
    return { n: Math.ceil(next() * (next() < 0.2 ? 2 ** 31 : 5000)), dtype, layers };
  });
}

it("FedAvg equals numpy's result of Sedna's formula bit for bit, with float32 and float64 in one round", ({
  skip,
}) => {
  if (absent)
    skip(
      `${python} cannot import numpy 2: python3 -m pip install "numpy>=2", or set SEDNA_PYTHON to another Python`,
    );
  const rounds = Array.from({ length: 200 }, (_, seed) => round(seed + 1));
  const input = JSON.stringify(
    rounds.map((clients) =>
      clients.map(({ n, dtype, layers }) => ({ n, dtype, layers: layers.map(toNested) })),
    ),
  );
  const { stdout, stderr, status } = spawnSync(python, ["-c", FORMULA], {
    input,
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const theirs = JSON.parse(stdout) as unknown[];
  for (const [i, clients] of rounds.entries()) {
    const ours = FedAvg().aggregate(clients.map(({ n, layers }) => ({ numSamples: n, weights: layers })))!;
    expect(ours.map(toNested)).toEqual(theirs[i]);
  }
});

it("FedAvg rounds float32 as numpy does: recorded results of numpy 2.4", () => {
  const [first, second, third] = [
    [0.1, -0.7, 1e-3, 3.3],
    [0.3, 0.9, 5e-3, -1.7],
    [0.2, 0.4, 7e-3, 2.2],
  ] as const;
  const client = (numSamples: number, data: Float32Array | Float64Array) => ({
    numSamples,
    weights: [tensor(data instanceof Float32Array ? "float32" : "float64", [4], data)],
  });
  const mean = (...clients: ReturnType<typeof client>[]): unknown =>
    toNested(FedAvg().aggregate(clients)![0]!);
  const [a, b] = [client(3, Float32Array.from(first)), client(7, Float32Array.from(second))];
  expect(mean(a, b)).toEqual([
    0.24000000953674316, 0.42000000178813934, 0.003800000122282654, -0.2000001072883606,
  ]);
  // One sample more than float32 can count exactly.
  expect(mean(a, b, client(16_777_217, Float32Array.from(third)))).toEqual([
    0.1999999970196793, 0.39999995827656676, 0.00699999735876751, 2.1999982595444294,
  ]);
  expect(mean(a, client(7, Float64Array.from(second, Math.fround)))).toEqual([
    0.24000000953674316, 0.41999998986721043, 0.003799999936018139, -0.20000008344650277,
  ]);
});
