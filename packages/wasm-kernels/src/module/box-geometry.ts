const { fround } = Math;

/** Returns the minimum like the WebAssembly kernels: a NaN on the right loses, unlike in Math.min. */
export function lesser(a: number, b: number): number {
  return b < a ? b : a;
}

/** Returns the maximum like the WebAssembly kernels: a NaN on the right loses, unlike in Math.max. */
export function greater(a: number, b: number): number {
  return a < b ? b : a;
}

const length = (from: number, to: number): number => greater(0, fround(to - from));

/** Returns the area of a box x1, y1, x2, y2 in f32; 0 for an empty or inverted box. */
export function area(box: Float32Array): number {
  return fround(length(box[0]!, box[2]!) * length(box[1]!, box[3]!));
}

/** Returns the area of the intersection of two boxes in f32. */
export function overlap(a: Float32Array, b: Float32Array): number {
  return fround(
    length(greater(a[0]!, b[0]!), lesser(a[2]!, b[2]!)) * length(greater(a[1]!, b[1]!), lesser(a[3]!, b[3]!)),
  );
}
