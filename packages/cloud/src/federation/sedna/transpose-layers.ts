import type { LayerSpec } from "@sedna-js/core/training";

/**
 * Returns the layout with all matrices transposed: `[outputs, inputs]` becomes `[inputs, outputs]`, as in
 * Keras.
 */
export function transposedLayout(layout: readonly LayerSpec[]): LayerSpec[] {
  return layout.map(({ name, shape }) => ({ name, shape: shape.length === 2 ? shape.toReversed() : shape }));
}

/**
 * Returns flat parameters of `layout`, row-major, in the order of {@link transposedLayout}. A second call,
 * with the transposed layout, restores them.
 */
export function transposeLayers<Numbers extends Float32Array | Float64Array>(
  flat: Numbers,
  layout: readonly LayerSpec[],
): Numbers {
  const turned = flat.slice() as Numbers;
  let start = 0;
  for (const { shape } of layout) {
    const [rows = 1, columns = 1] = shape;
    if (shape.length === 2) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++)
          turned[start + column * rows + row] = flat[start + row * columns + column]!;
      }
    }
    start += shape.reduce((product, axis) => product * axis, 1);
  }
  return turned;
}
