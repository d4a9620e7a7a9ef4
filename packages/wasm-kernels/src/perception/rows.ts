import { integer, outOfRange, typedArray } from "../module/check.ts";

/** A row-major f32 matrix. */
export interface Rows {
  readonly values: Float32Array;
  readonly columns: number;
  readonly count: number;
}

/** Options of {@link checkRows}. */
interface CheckRowsOptions {
  name: string;
  values: unknown;
  columnsName: string;
  columns: unknown;
  factor?: number;
}

/**
 * Validates that `values` consists of whole rows of `columns` elements.
 *
 * @throws {TypeError} If an argument has the wrong type.
 * @throws {RangeError} If an argument is out of range.
 */
export function checkRows(action: string, given: CheckRowsOptions): Rows {
  const { name, columnsName, factor = 1 } = given;
  const values = typedArray({ action, name }, { kind: "Float32Array", value: given.values });
  const columns =
    factor * integer({ action, name: columnsName }, { value: given.columns, least: 1, most: 0xffffff });
  if (values.length % columns !== 0) {
    outOfRange(
      { action, name },
      { expected: `to have a multiple of ${columns} elements`, got: values.length },
    );
  }
  return { values, columns, count: values.length / columns };
}
