import type { CheckedSpec } from "../image-to-tensor-spec.ts";
import type { ImageStore } from "../image-to-tensor.ts";
import type { LetterboxPlan } from "../letterbox-plan.ts";

const { fround } = Math;

/**
 * Reference implementation of the image conversion: one channel of one pixel at a time, rounded to f32 after
 * every step.
 */
export function referenceImageStore(spec: CheckedSpec): ImageStore {
  const { width, height } = spec.tensor;
  const tensor = new Float32Array(3 * width * height);
  // One pixel more than the image: an image that is one pixel wide is read past its end, with weight 0.
  let bytes = new Uint8ClampedArray(0);
  let plan: LetterboxPlan | undefined;
  return {
    prepare(next) {
      plan = next;
      bytes = new Uint8ClampedArray(4 * next.source.width * next.source.height + 4);
    },
    source: () => bytes.subarray(0, bytes.length - 4),
    tensor: () => tensor,
    convert() {
      if (plan) convert(spec, { plan, source: bytes, tensor });
    },
    dispose() {
      bytes = new Uint8ClampedArray(0);
    },
  };
}

interface Conversion {
  readonly plan: LetterboxPlan;
  readonly source: Uint8ClampedArray;
  readonly tensor: Float32Array;
}

function convert(spec: CheckedSpec, { plan, source, tensor }: Conversion): void {
  const { width, height } = spec.tensor;
  for (let y = 0; y < plan.content.height; y++) {
    const v = plan.vertical[y]!;
    const upperRow = plan.rows[2 * y]! * plan.source.width * 4;
    const lowerRow = plan.rows[2 * y + 1]! * plan.source.width * 4;
    for (let c = 0; c < 3; c++) {
      const upper = fround(fround(1 - v) * spec.scale[c]!);
      const lower = fround(v * spec.scale[c]!);
      const blend = (at: number) =>
        fround(fround(source[upperRow + at]! * upper) + fround(source[lowerRow + at]! * lower));
      const channel = spec.bgr ? 2 - c : c;
      for (let x = 0; x < plan.content.width; x++) {
        const left = blend(plan.columns[x]! + c);
        const right = blend(plan.columns[x]! + c + 4);
        const value = fround(left + fround(plan.horizontal[x]! * fround(right - left)));
        const pixel = (plan.top + y) * width + plan.left + x;
        const at = spec.interleaved ? 3 * pixel + channel : channel * width * height + pixel;
        tensor[at] = value + spec.bias[c]!;
      }
    }
  }
}
