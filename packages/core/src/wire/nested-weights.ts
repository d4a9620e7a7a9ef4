import type { LayerSpec } from "../training/training-plan.ts";
import { flatLength } from "./federation-parsers.ts";
import { failField } from "./read-fields.ts";

// Weights as nested lists, layer by layer, and as a flat array. Both conversions follow the axes of the
// layout's shapes, which have at most 16 axes; they never follow the nesting of the input any deeper.

/** Returns the number of lists in the nested form of a layout, including the outermost. */
export function countLists(layout: readonly LayerSpec[]): number {
  return layout.reduce(
    (sum, { shape }) =>
      sum +
      shape.reduce(({ lists, rows }, axis) => ({ lists: lists + rows, rows: rows * axis }), {
        lists: 0,
        rows: 1,
      }).lists,
    1,
  );
}

/** What `fill` takes. */
interface FillOptions {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly layer: number;
}

/**
 * Flattens nested lists into one array.
 *
 * @throws {WireError} If the lists do not have the shapes of the layout, or contain anything but finite
 * numbers.
 */
export function readNested(
  nested: unknown,
  { layout, where }: { readonly layout: readonly LayerSpec[]; readonly where: string },
): Float64Array {
  if (!Array.isArray(nested) || nested.length !== layout.length)
    return failField(where, { expected: `a list of ${layout.length} layers`, got: nested });
  const flat = new Float64Array(flatLength(layout));
  let next = 0;
  const fill = (value: unknown, { shape, axis, layer }: FillOptions): void => {
    const most = shape[axis];
    if (most === undefined) return put(value, layer);
    if (!Array.isArray(value) || value.length !== most)
      return failField(`${where}[${layer}]`, {
        expected: `lists of the shape [${shape}], ${most} on axis ${axis}`,
        got: value,
      });
    if (axis === shape.length - 1) {
      for (let i = 0; i < most; i++) put(value[i], layer);
    } else {
      const inner = { shape, axis: axis + 1, layer };
      for (let i = 0; i < most; i++) fill(value[i], inner);
    }
  };
  const put = (value: unknown, layer: number): void => {
    if (typeof value !== "number" || !Number.isFinite(value))
      return failField(`${where}[${layer}]`, { expected: "finite numbers", got: value });
    flat[next++] = value;
  };
  for (const [layer, { shape }] of layout.entries()) fill(nested[layer], { shape, axis: 0, layer });
  return flat;
}

/**
 * Writes a flat array as the JSON of nested lists, with numbers as Python writes floats.
 *
 * @throws {TypeError} If the length does not match the layout.
 * @throws {RangeError} If a number is not finite.
 */
export function nestedJson(flat: Float32Array | Float64Array, layout: readonly LayerSpec[]): string {
  if (flat.length !== flatLength(layout))
    throw new TypeError(`write weights: expected ${flatLength(layout)} numbers; got ${flat.length}`);
  let next = 0;
  const write = (shape: readonly number[], axis: number): string => {
    const most = shape[axis];
    if (most === undefined) return pythonFloat(flat[next++]!);
    const parts: string[] = [];
    for (let i = 0; i < most; i++) parts.push(write(shape, axis + 1));
    return `[${parts.join(",")}]`;
  };
  return `[${layout.map(({ shape }) => write(shape, 0)).join(",")}]`;
}

/**
 * Writes a number like Python's `repr` of a float: the same shortest digits as ECMAScript, but always with a
 * point or an exponent. The exponent has at least two digits, and is used from 1e16 up and below 1e-4.
 */
export function pythonFloat(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`write weights: expected finite numbers; got ${value}`);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e16) {
    const text = String(value);
    return Number.isInteger(value) ? `${text}.0` : text;
  }
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
