import { ortNode } from "../peers/ort-node.ts";
import { isMissing, TOP } from "../peers/peer.ts";
import type { RelaxedParams } from "./relaxed-page.ts";
import { createBrowserContestant } from "./relaxed.ts";
import { missing, type Figure } from "../result.ts";
import { interleave, ratio, typical } from "../rounds.ts";
import { unitRows } from "./samples.ts";

const SHAPE = { count: 1e4, dimensions: 512, queries: 16 };
const NAME = "cosine";
const METRIC = "16 queries, 1e4 rows, onnxruntime-node f32 against our int8 with relaxed SIMD";

/**
 * Measures int8 in both modules in a Chromium page, in turn with ONNX Runtime in this process, because Node
 * 20 has no relaxed SIMD.
 */
export async function benchRelaxed(): Promise<Figure[]> {
  const pages = [];
  for (const backend of ["wasm-relaxed", "wasm"] as const) {
    const page = await createBrowserContestant<RelaxedParams>({
      entry: new URL("relaxed-page.ts", import.meta.url),
    });
    if (isMissing(page)) return [missing({ name: NAME, metric: METRIC, reason: page.reason })];
    await page.prepare({ ...SHAPE, backend, k: TOP });
    pages.push(page);
  }
  const [relaxed, plain] = pages as [(typeof pages)[0], (typeof pages)[0]];
  const gallery = { values: unitRows({ ...SHAPE, seed: 1 }), ...SHAPE };
  const peer = await ortNode(gallery, {
    values: unitRows({ count: SHAPE.queries, dimensions: SHAPE.dimensions, seed: 2 }),
    count: SHAPE.queries,
  });
  try {
    if (isMissing(peer)) return [missing({ name: NAME, metric: METRIC, reason: peer.reason })];
    const contestants = {
      peer: () => peer.run(),
      relaxed: { timed: () => relaxed.run(5) },
      plain: { timed: () => plain.run(5) },
    };
    const rounds = await interleave(contestants, { rounds: 15, runs: 3, warmUp: 8 });
    const where = `in Chromium ${relaxed.version}`;
    return [
      {
        name: NAME,
        metric: METRIC,
        value: typical(rounds, "relaxed"),
        unit: "ms",
        peer: `ours ${where}; theirs ${peer.layout}`,
        ratio: ratio(rounds, { a: "peer", b: "relaxed" }),
      },
      {
        name: NAME,
        metric: `16 queries, 1e4 rows: int8 with simd128 ${where}`,
        value: typical(rounds, "plain"),
        unit: "ms",
        peer: "int8 with relaxed SIMD",
        ratio: ratio(rounds, { a: "plain", b: "relaxed" }),
      },
    ];
  } finally {
    if (!isMissing(peer)) await peer.dispose();
    for (const page of pages) await page.dispose();
  }
}
