import { UnknownAlgorithmError } from "./errors.ts";

/** Algorithms by name. Each entry creates the algorithm from its parameters. */
export type AlgorithmTable = Readonly<Record<string, (param: never) => unknown>>;

/**
 * Selects an algorithm by name, as Sedna does in a job: `{ method: "IBT", param: { threshold_img: "0.9" } }`.
 */
export interface Selection<Name extends string = string, Param = Readonly<Record<string, unknown>>> {
  readonly method: Name;
  /** The algorithm's parameters, also in Sedna's list form `[{ key, value }]`. */
  readonly param?: Param | readonly { readonly key: string; readonly value: unknown }[];
}

/**
 * Builds the algorithm that a job names. Extend a table by spreading: `{ ...hardExampleMining, Mine }`.
 *
 * Source: `ClassFactory.get_cls` and `get_algorithm_from_api` in Sedna's `lib/sedna/common`.
 *
 * @throws {UnknownAlgorithmError} naming what is known, when `method` is not in the table.
 *
 * @example
 * ```ts
 * import { hardExampleMining, select } from "@sedna-js/core";
 *
 * const param = { threshold_cross_entropy: "0.5" };
 * const isHard = select(hardExampleMining, { method: "CrossEntropy", param });
 * console.log(isHard([0.5, 0.5]), isHard([0.99, 0.01])); // => true false
 * ```
 */
export function select<Table extends AlgorithmTable, Name extends keyof Table & string>(
  table: Table,
  selection: Selection<Name, Parameters<Table[Name]>[0]>,
): ReturnType<Table[Name]> {
  const build = Object.hasOwn(table, selection.method) ? table[selection.method] : undefined;
  if (build === undefined) {
    const known = Object.keys(table).join(", ");
    throw new UnknownAlgorithmError(
      `select an algorithm: expected one of ${known}; got "${String(selection.method)}"`,
    );
  }
  const { param = {} } = selection;
  const named = Array.isArray(param)
    ? Object.fromEntries(param.map(({ key, value }) => [key, value]))
    : param;
  return build(named as never) as ReturnType<Table[Name]>;
}
