import {
  loadVectorKernels,
  type ModelUpdate,
  type UpdateBucket,
  type VectorKernels,
} from "@sedna-js/wasm-kernels";
import { fedAvgAxpy, fedAvgUnrolled } from "../peers/plain-averaging.ts";
import { createPython, type NoPython, type Python } from "../peers/python.ts";
import { loadProbes } from "./probes.ts";
import { missing, type Figure } from "../result.ts";
import { interleave, ratio, typical, type Contestant } from "../rounds.ts";
import { repeatable } from "./samples.ts";

const CLIENTS = 10;
const NAME = "fedavg";

/** Returns the update number `client` with `length` values, in an encoding. */
function update({
  encoding,
  length,
  client,
}: {
  encoding: ModelUpdate["encoding"];
  length: number;
  client: number;
}): ModelUpdate {
  const next = repeatable(client + 1);
  if (encoding === "f32") return { encoding, values: Float32Array.from({ length }, () => next() - 0.5) };
  // Values of ordinary magnitude, 2^-6 to 2^6. Another line of the benchmark measures halves below 2^-14.
  if (encoding === "f16")
    return {
      encoding,
      values: Uint16Array.from(
        { length },
        () => 0x2400 + Math.floor(next() * 0x3000) + (next() < 0.5 ? 0x8000 : 0),
      ),
    };
  if (encoding === "int8")
    return { encoding, values: Int8Array.from({ length }, () => next() * 255 - 127), scale: 0.01 };
  const every = 100;
  const indices = Uint32Array.from(
    { length: Math.floor(length / every) },
    (_, i) => i * every + Math.floor(next() * every),
  );
  return { encoding, indices, values: Float32Array.from(indices, () => next() - 0.5) };
}

/** Creates a bucket with the updates of ten clients, written in place. */
function filled(
  kernels: VectorKernels,
  { encoding, length, small = false }: { encoding: ModelUpdate["encoding"]; length: number; small?: boolean },
): UpdateBucket {
  const bucket = kernels.updateBucket({
    length,
    capacity: CLIENTS,
    encoding,
    ...(encoding === "topk" ? { entries: Math.floor(length / 100) } : {}),
  });
  for (let client = 0; client < CLIENTS; client++) {
    const made = update({ encoding, length, client });
    if (small && made.encoding === "f16")
      made.values.forEach((bits, i) => i % 20 === 0 && (made.values[i] = bits & 0x83ff));
    bucket.add(made, { weight: 100 + client });
  }
  return bucket;
}

/** Measures one length. Our contestants and the probe run in this process, numpy's in another. */
async function measure(python: Python | NoPython, length: number): Promise<Figure[]> {
  const kernels = await loadVectorKernels({ backend: "wasm" });
  const probes = await loadProbes();
  const bytes = 4 * CLIENTS * length;
  probes.reserve(bytes);
  const buckets = {
    f32: filled(kernels, { encoding: "f32", length }),
    f16: filled(kernels, { encoding: "f16", length }),
    "f16, 5 % below 2^-14": filled(kernels, { encoding: "f16", length, small: true }),
    int8: filled(kernels, { encoding: "int8", length }),
    topk: filled(kernels, { encoding: "topk", length }),
  };
  const vectors = Array.from(
    { length: CLIENTS },
    (_, client) => update({ encoding: "f32", length, client }).values as Float32Array,
  );
  const total = vectors.reduce((sum, _, client) => sum + 100 + client, 0);
  const loop = {
    weights: Float32Array.from(vectors, (_, client) => (100 + client) / total),
    out: new Float32Array(length),
  };
  using streamed = kernels.weightedMean({ length });
  const arriving = streamed.incoming();
  arriving.set(vectors[0]!);

  const inPython = (name: string): Contestant | undefined =>
    python.available ? { timed: () => python.run(name, { clients: CLIENTS, length, seed: 1 }) } : undefined;
  const quick = {
    "read-only": () => probes.readOnly(bytes),
    ...Object.fromEntries(Object.entries(buckets).map(([name, bucket]) => [name, () => bucket.mean()])),
  } as Record<string, Contestant>;
  const peers: Record<string, Contestant | undefined> = {
    "numpy in place": inPython("fedavg/inplace"),
    "numpy in place, in blocks": inPython("fedavg/blocked"),
    "numpy, one BLAS call on stacked updates": inPython("fedavg/gemv"),
    "numpy as Flower's aggregate": inPython("fedavg/flower"),
    "Sedna's formula on arrays": inPython("fedavg/sedna"),
  };
  const slow: Record<string, Contestant> = {
    f32: () => buckets.f32.mean(),
    "JavaScript loop": () => fedAvgAxpy(vectors, loop),
    "JavaScript, unrolled": () => fedAvgUnrolled(vectors, loop),
  };
  for (const [name, contestant] of Object.entries(peers)) if (contestant) slow[name] = contestant;
  slow["one by one, validated"] = () => {
    streamed.reset();
    for (let client = 0; client < CLIENTS; client++)
      streamed.add({ encoding: "f32", values: arriving }, { weight: 100 });
  };

  const near = await interleave(quick, { rounds: 15, runs: 3 });
  const far = await interleave(slow, { rounds: 7, runs: 3, warmUp: 2 });
  kernels.dispose();
  await (python.available ? python.forget() : undefined);

  const size = `10 clients of ${length.toExponential(0).replace("+", "")}`;
  const against = (
    rounds: typeof near,
    metric: string,
    { a, b, peer }: { a: string; b: string; peer: string },
  ): Figure => ({
    name: NAME,
    metric: `${size}: ${metric}`,
    value: typical(rounds, metric === "f32" ? "f32" : a),
    unit: "ms",
    peer,
    ratio: ratio(rounds, { a, b }),
  });
  return [
    against(near, "f32", { a: "f32", b: "read-only", peer: "a read-only pass over the same bytes" }),
    ...Object.keys(buckets)
      .slice(1)
      .map((name) => against(near, name, { a: name, b: "f32", peer: "f32" })),
    ...Object.keys(slow)
      .slice(1)
      .map((name) => against(far, name, { a: name, b: "f32", peer: "f32" })),
    ...Object.entries(peers)
      .filter(([, contestant]) => !contestant)
      .map(([name]) =>
        missing({
          name: NAME,
          metric: `${size}: ${name}`,
          reason: python.available ? "not measured" : python.reason,
        }),
      ),
  ];
}

/** Measures FedAvg of resident updates, compared with the limits of memory, other encodings, and peers. */
export async function benchFedAvg(): Promise<Figure[]> {
  const python = await createPython();
  try {
    return [...(await measure(python, 1e7)), ...(await measure(python, 1e6))];
  } finally {
    if (python.available) await python.dispose();
  }
}
