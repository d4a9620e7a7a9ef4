/// <reference lib="esnext.disposable" preserve="true" />
import { outOfRange, wrongType } from "../module/check.ts";
import { checkSize, type CheckedSpec } from "./image-to-tensor-spec.ts";
import { letterboxPlan, type LetterboxPlan, type Size } from "./letterbox-plan.ts";

/** An RGBA8 image, row by row. Alpha is ignored. An `ImageData` is a valid `RgbaImage`. */
export interface RgbaImage extends Size {
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * Tensor of one image, and the mapping from image to tensor: `tensor pixel = source pixel * scale + offset`.
 */
export interface ImageTensor {
  /**
   * View of kernel memory, valid until the next call of any kernel of the same set. Do not write to it: the
   * border is painted only when the size of the image changes.
   */
  readonly data: Float32Array;
  /** Shape `[1, 3, height, width]` or `[1, height, width, 3]`. */
  readonly shape: readonly number[];
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** Converts images into tensors of one format. Bilinear, with half-pixel centers and clamped edges. */
export interface ImageToTensor {
  /**
   * Returns an RGBA8 view of kernel memory into which to write the next image. Call it for each image,
   * because the view is detached when kernel memory grows. The content is kept while the size stays the same.
   */
  source(size: Size): Uint8ClampedArray;
  /**
   * Returns the tensor of the image that was written into `source`.
   *
   * @throws {Error} If `source` was not called before.
   */
  convert(): ImageTensor;
  /** Copies the image into kernel memory and converts it. */
  run(image: RgbaImage): ImageTensor;
  /** Releases the memory. A second call has no effect. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Backend part of a converter: memory for an image, its plan, and a tensor, and the conversion. */
export interface ImageStore {
  /** Allocates memory for images of this plan. */
  prepare(plan: LetterboxPlan): void;
  /** Returns the bytes of the image, without padding. */
  source(): Uint8ClampedArray;
  tensor(): Float32Array;
  /** Writes the content of the tensor, but not its border. */
  convert(): void;
  dispose(): void;
}

/** Creates the converter that all backends share. `assertOpen` throws if the kernels are disposed. */
export function createImageToTensor(
  spec: CheckedSpec,
  { store, assertOpen }: { store: ImageStore; assertOpen: (action: string) => void },
): ImageToTensor {
  let plan: LetterboxPlan | undefined;
  let disposed = false;

  const assertUsable = (action: string) => {
    assertOpen(action);
    if (disposed) throw new Error(`${action}: expected an image converter in use; got a disposed one`);
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
      throw new Error("convert: expected an image; got none: call source() and write an image first");
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

/**
 * Validates an image.
 *
 * @throws {TypeError} If the data or a dimension has the wrong type.
 * @throws {RangeError} If a dimension or the length of the data is out of range.
 */
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

/** Paints the whole tensor in the border color. The content is written over it. */
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
    // A getter, so that the view stays valid if kernel memory grows between `convert` and the use of the
    // view.
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
