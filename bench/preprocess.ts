import { loadKernels } from "@sedna-js/wasm-kernels";
import type { Figure } from "./result.ts";
import { interleave, ratio, typical } from "./rounds.ts";

const SOURCE = { width: 1280, height: 720 };
const SIDE = 640;
const GREY = 114;

/**
 * The JavaScript that one would write with care: columns and weights precomputed, each source row blended once
 * per tensor row, typed arrays, no allocation. Letterbox, bilinear with half-pixel centres, RGB, NCHW, /255.
 */
function carefulJavaScript(): (rgba: Uint8ClampedArray, out: Float32Array) => void {
  const scale = Math.min(SIDE / SOURCE.width, SIDE / SOURCE.height);
  const [width, height] = [Math.round(SOURCE.width * scale), Math.round(SOURCE.height * scale)];
  const [left, top] = [(SIDE - width) >> 1, (SIDE - height) >> 1];
  const axis = (length: number, source: number): { from: Int32Array; to: Int32Array; weight: Float32Array } => {
    const table = { from: new Int32Array(length), to: new Int32Array(length), weight: new Float32Array(length) };
    for (let i = 0; i < length; i++) {
      const at = Math.min(Math.max(((i + 0.5) * source) / length - 0.5, 0), source - 1);
      table.from[i] = Math.floor(at);
      table.to[i] = Math.min(table.from[i]! + 1, source - 1);
      table.weight[i] = at - table.from[i]!;
    }
    return table;
  };
  const columns = axis(width, SOURCE.width);
  for (const list of [columns.from, columns.to]) for (let i = 0; i < width; i++) list[i]! *= 4;
  const rows = axis(height, SOURCE.height);
  const plane = SIDE * SIDE;
  const { from, to, weight } = columns;

  return (rgba, out) => {
    out.fill(GREY / 255);
    for (let y = 0; y < height; y++) {
      const upper = rows.from[y]! * SOURCE.width * 4;
      const lower = rows.to[y]! * SOURCE.width * 4;
      const down = rows.weight[y]!;
      let at = (y + top) * SIDE + left;
      for (let x = 0; x < width; x++, at++) {
        const [a, b, across] = [from[x]!, to[x]!, weight[x]!];
        for (let c = 0; c < 3; c++) {
          const first = rgba[upper + a + c]! + (rgba[upper + b + c]! - rgba[upper + a + c]!) * across;
          const second = rgba[lower + a + c]! + (rgba[lower + b + c]! - rgba[lower + a + c]!) * across;
          out[c * plane + at] = (first + (second - first) * down) / 255;
        }
      }
    }
  };
}

/** Letterbox and normalise a 720p picture to 640x640, against a careful JavaScript loop with the same result. */
export async function benchPreprocess(): Promise<Figure[]> {
  const kernels = await loadKernels({ backend: "wasm" });
  const convert = kernels.imageToTensor({ width: SIDE, height: SIDE, fit: "letterbox", layout: "nchw", channels: "rgb", mean: [0, 0, 0], std: [255, 255, 255], pad: GREY });
  const source = convert.source(SOURCE);
  for (let i = 0; i < source.length; i++) source[i] = (i * 2654435761) >>> 24;
  const rgba = source.slice();
  const out = new Float32Array(3 * SIDE * SIDE);
  const loop = carefulJavaScript();

  loop(rgba, out);
  const ours = convert.convert().data;
  const worst = out.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i]!)), 0);
  if (worst > 1e-3 / 255 + 1e-6) throw new Error(`bench preprocess: expected equal tensors; they differ by ${worst}`);

  const rounds = await interleave({ js: () => loop(rgba, out), wasm: () => convert.convert() }, { rounds: 15, runs: 30, warmUp: 40 });
  kernels.dispose();
  return [
    { name: "preprocess", metric: "720p to 640x640, JavaScript", value: typical(rounds, "js"), unit: "ms" },
    { name: "preprocess", metric: "720p to 640x640, WASM, times faster", value: typical(rounds, "wasm"), unit: "ms", peer: "JavaScript", ratio: ratio(rounds, { a: "js", b: "wasm" }) },
  ];
}
