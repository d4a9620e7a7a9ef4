/// <reference lib="esnext.disposable" preserve="true" />
import { outOfRange, wrongType } from "../module/check.ts";
import { checkSize, type CheckedSpec } from "./image-to-tensor-spec.ts";
import { letterboxPlan, type LetterboxPlan, type Size } from "./letterbox-plan.ts";

/** A picture as RGBA8, row by row; alpha is ignored. An `ImageData` is one. */
export interface RgbaImage extends Size {
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** The tensor of one picture, and the way back to it: `tensor pixel = source pixel * scale + offset`. */
export interface ImageTensor {
  /**
   * A view of kernel memory, good until the next call of any kernel of its set. Read it only: the border is painted when
   * the picture's size changes, not every time.
   */
  readonly data: Float32Array;
  /** `[1, 3, height, width]` or `[1, height, width, 3]`. */
  readonly shape: readonly number[];
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** Turns pictures into tensors of one kind. Bilinear, half-pixel centres, edges clamped. */
export interface ImageToTensor {
  /**
   * Where to write the next picture: an RGBA8 view of kernel memory. Ask for it anew for each
   * picture; it dies when kernel memory grows. Its content stays while the size does.
   */
  source(size: Size): Uint8ClampedArray;
  /** The tensor of the picture written into `source`. Throws an Error before the first `source`. */
  convert(): ImageTensor;
  /** Both in one: copies the picture in, and converts it. */
  run(image: RgbaImage): ImageTensor;
  /** Gives the memory back. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** A backend's part: memory for a picture, its plan and a tensor, and the conversion. */
export interface ImageStore {
  /** Makes room for pictures of this plan. */
  prepare(plan: LetterboxPlan): void;
  /** The picture's bytes, exactly. */
  source(): Uint8ClampedArray;
  tensor(): Float32Array;
  /** Fills the content of the tensor, not its border. */
  convert(): void;
  dispose(): void;
}

/** The parts that all backends share. `assertOpen` throws when the kernels were disposed. */
export function createImageToTensor(
  spec: CheckedSpec,
  { store, assertOpen }: { store: ImageStore; assertOpen: (action: string) => void },
): ImageToTensor {
  let plan: LetterboxPlan | undefined;
  let disposed = false;

  const assertUsable = (action: string) => {
    assertOpen(action);
    if (disposed) throw new Error(`${action}: expected an image converter in use, got a disposed one`);
  };

  const source = (given: Size): Uint8ClampedArray => {
    assertUsable("source");
    const size = checkSize("source", given);
    if (plan?.source.width !== size.width || plan.source.height !== size.height) {
      plan = undefined;
      const next = letterboxPlan({ source: size, tensor: spec.tensor, fit: spec.fit });
      store.prepare(next);
      if (spec.fit === "letterbox") paint(store.tensor(), spec);
      plan = next;
    }
    return store.source();
  };

  const convert = (): ImageTensor => {
    assertUsable("convert");
    if (plan === undefined)
      throw new Error("convert: expected a picture, got none: call source() and write one first");
    store.convert();
    return describeTensor(spec, { plan, store });
  };

  const dispose = () => {
    if (!disposed) store.dispose();
    disposed = true;
  };

  return {
    source,
    convert,
    run(image) {
      assertUsable("run");
      checkImage("run", image);
      source(image).set(image.data);
      return convert();
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** Throws TypeError or RangeError for what isn't a picture. */
export function checkImage(action: string, { data, width, height }: RgbaImage): void {
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    wrongType({ action, name: "data" }, { expected: "to be a Uint8Array or Uint8ClampedArray", got: data });
  }
  checkSize(action, { width, height });
  if (data.length !== width * height * 4) {
    outOfRange(
      { action, name: "data" },
      { expected: `to have ${width} x ${height} x 4 elements`, got: data.length },
    );
  }
}

/** Paints the whole tensor; the content is written over it. */
function paint(data: Float32Array, { tensor, interleaved, bgr, border }: CheckedSpec): void {
  const [first, second, third] = bgr
    ? [border[2]!, border[1]!, border[0]!]
    : [border[0]!, border[1]!, border[2]!];
  const pixels = tensor.width * tensor.height;
  if (interleaved) {
    for (let i = 0; i < data.length; i += 3) {
      data[i] = first;
      data[i + 1] = second;
      data[i + 2] = third;
    }
  } else {
    data
      .fill(first, 0, pixels)
      .fill(second, pixels, 2 * pixels)
      .fill(third, 2 * pixels);
  }
}

function describeTensor(
  { tensor, interleaved }: CheckedSpec,
  { plan, store }: { plan: LetterboxPlan; store: ImageStore },
): ImageTensor {
  return {
    // A getter, so that the view survives growth of kernel memory between `convert` and its use.
    get data() {
      return store.tensor();
    },
    shape: interleaved ? [1, tensor.height, tensor.width, 3] : [1, 3, tensor.height, tensor.width],
    scaleX: plan.content.width / plan.source.width,
    scaleY: plan.content.height / plan.source.height,
    offsetX: plan.left,
    offsetY: plan.top,
  };
}
