import { loadVectorKernels, type Gallery, type VectorKernels } from "@sedna-js/wasm-kernels";
import { cosinePeers } from "../peers/cosine-peers.ts";
import { isMissing, TOP, type Peer, type PeerFactory } from "../peers/peer.ts";
import { createPython, type NoPython, type Python } from "../peers/python.ts";
import { loadProbes, type Probes } from "./probes.ts";
import { missing, type Figure } from "../result.ts";
import { interleave, ratio, typical, type Contestant } from "../rounds.ts";
import { unitRows } from "./samples.ts";

const DIMENSIONS = 512;
const NAME = "cosine";

/** Creates a gallery with the same rows as the peers. The ids are row numbers. */
function galleryOf(
  kernels: VectorKernels,
  { values, count, precision }: { values: Float32Array; count: number; precision: "f32" | "int8" | "binary" },
): Gallery {
  const gallery = kernels.gallery({ dimensions: DIMENSIONS, precision });
  gallery.set(
    Array.from({ length: count }, (_, i) => i),
    values,
  );
  return gallery;
}

interface Size {
  readonly count: number;
  readonly queries: number;
  readonly peers: Readonly<Record<string, PeerFactory>>;
}

async function measure(
  { count, queries, peers }: Size,
  { python, probes }: { python: Python | NoPython; probes: Probes },
): Promise<Figure[]> {
  const kernels = await loadVectorKernels({ backend: "wasm" });
  const values = unitRows({ count, dimensions: DIMENSIONS, seed: 1 });
  const asked = unitRows({ count: queries, dimensions: DIMENSIONS, seed: 2 });
  const ours = {
    f32: galleryOf(kernels, { values, count, precision: "f32" }),
    int8: galleryOf(kernels, { values, count, precision: "int8" }),
    binary: galleryOf(kernels, { values, count, precision: "binary" }),
  };
  const bytes = 4 * values.length;
  probes.reserve(bytes);
  const size = `${queries === 1 ? "1 query" : `${queries} queries`}, ${count.toExponential(0).replace("+", "")} rows`;

  const contestants: Record<string, Contestant> = {
    f32: () => ours.f32.match({ queries: asked, k: TOP }),
    int8: () => ours.int8.match({ queries: asked, k: TOP }),
  };
  if (queries === 1)
    Object.assign(contestants, {
      binary: () => ours.binary.match({ queries: asked, k: TOP }),
      "read-only": () => probes.readOnly(bytes),
    });
  else contestants["peak"] = () => probes.mulAddPeak(2 * count * DIMENSIONS * queries);

  const expected = ours.f32.match({ queries: asked, k: TOP })[0]!.map(({ id }) => id);
  const present: Peer[] = [];
  const absent: Figure[] = [];
  for (const make of Object.values(peers)) {
    const peer = await make({ values, count, dimensions: DIMENSIONS }, { values: asked, count: queries });
    if (isMissing(peer))
      absent.push(missing({ name: NAME, metric: `${size}: ${peer.name}`, reason: peer.reason }));
    else present.push(peer);
  }
  for (const peer of present) {
    await peer.run();
    if (peer.top()[0] !== expected[0])
      throw new Error(
        `bench cosine: expected ${peer.name} to find row ${expected[0]} first; got ${peer.top()[0]}`,
      );
    contestants[peer.name] = () => peer.run();
  }
  const params = { gallery: "gallery", query: "query", top: TOP };
  const inPython = ["cosine/rows", "cosine/columns"];
  if (python.available) {
    await python.put("gallery", { values, shape: [count, DIMENSIONS] });
    await python.put("query", { values: asked, shape: [queries, DIMENSIONS] });
    for (const name of inPython)
      contestants[`numpy ${name.slice(7)}`] = { timed: () => python.run(name, params) };
  } else absent.push(missing({ name: NAME, metric: `${size}: numpy`, reason: python.reason }));

  const rounds = await interleave(
    contestants,
    count > 20_000 ? { rounds: 9, runs: 2, warmUp: 4 } : { rounds: 15, runs: 4, warmUp: 12 },
  );
  for (const peer of present) await peer.dispose();
  kernels.dispose();
  if (python.available) await python.forget();

  const limit =
    queries === 1
      ? { b: "read-only", peer: "a read-only pass over the same bytes" }
      : { b: "peak", peer: "the time of as many multiply-adds at the peak of simd128" };
  const line = (metric: string, { a, b, peer }: { a: string; b: string; peer: string }): Figure => ({
    name: NAME,
    metric: `${size}: ${metric}`,
    value: typical(rounds, a),
    unit: "ms",
    peer,
    ratio: ratio(rounds, { a, b }),
  });
  const layouts = new Map(
    present.map(({ name, version, layout }) => [name, `${name} ${version} (${layout})`]),
  );
  return [
    line("f32", { a: "f32", ...limit }),
    ...Object.keys(contestants)
      .filter((name) => !["f32", "read-only", "peak"].includes(name))
      .map((name) =>
        line(
          layouts.get(name) ??
            (name.startsWith("numpy") && python.available ? `${name}: ${python.numpy}` : name),
          { a: name, b: "f32", peer: "f32" },
        ),
      ),
    ...(queries > 1 && present.some(({ name }) => name === "onnxruntime-node")
      ? [
          {
            name: NAME,
            metric: `${size}, onnxruntime-node f32 against our int8`,
            value: typical(rounds, "int8"),
            unit: "ms",
            peer: "our int8 (times slower)",
            ratio: ratio(rounds, { a: "onnxruntime-node", b: "int8" }),
          },
        ]
      : []),
    ...absent,
  ];
}

/**
 * Returns the fraction of the exact ten best rows that int8 with exact re-ranking finds, over random rows,
 * which are the hardest case.
 */
export async function int8Recall(): Promise<number> {
  const kernels = await loadVectorKernels({ backend: "wasm" });
  const [count, queries] = [20_000, 64];
  const values = unitRows({ count, dimensions: DIMENSIONS, seed: 3 });
  const asked = unitRows({ count: queries, dimensions: DIMENSIONS, seed: 4 });
  const best = (precision: "f32" | "int8") =>
    galleryOf(kernels, { values, count, precision })
      .match({ queries: asked, k: TOP })
      .map((results) => results.map(({ id }) => id));
  const exact = best("f32");
  const found = best("int8");
  kernels.dispose();
  return (
    exact.reduce((sum, ids, query) => sum + ids.filter((id) => found[query]!.includes(id)).length, 0) /
    (TOP * queries)
  );
}

/**
 * Measures matching against a resident gallery, compared with the limits of memory and processor, other
 * precisions, and peers.
 */
export async function benchCosine(): Promise<Figure[]> {
  const python = await createPython();
  const probes = await loadProbes();
  // Skip the peers that are ten times slower at 1e4 rows: at 1e5 rows they would only take time.
  const { ortNode, ortWeb, usearch } = cosinePeers;
  try {
    return [
      ...(await measure({ count: 1e4, queries: 1, peers: cosinePeers }, { python, probes })),
      ...(await measure({ count: 1e5, queries: 1, peers: { ortNode, ortWeb, usearch } }, { python, probes })),
      ...(await measure(
        { count: 1e4, queries: 16, peers: { ortNode, ortWeb, usearch } },
        { python, probes },
      )),
      {
        name: NAME,
        metric: "recall at 10 of int8, 64 queries, 2e4 random rows",
        value: await int8Recall(),
        unit: "share",
      },
    ];
  } finally {
    if (python.available) await python.dispose();
  }
}
