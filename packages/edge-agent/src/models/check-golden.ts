import { SednaError, type Estimator, type Tensor, type Tensors } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import { readSafetensors, type GoldenCase } from "@sedna-js/core/wire";
import type { VerifiedModel } from "./model-store.ts";

/** Options of {@link checkGolden}. */
export interface CheckGoldenOptions {
  /** Maximum number of cases to check. Default: all. */
  readonly maxCases?: number;
  readonly signal?: AbortSignal;
}

/** Result of {@link checkGolden}. */
export interface GoldenCheck {
  /** Number of cases that passed. */
  readonly passed: number;
  /** The error of the first failed case, `model-mismatch`. Later cases do not run. */
  readonly mismatch?: SednaError;
}

/**
 * Runs a model on the golden cases of its manifest. A model without cases passes. An output passes if each of
 * its elements satisfies |got - expected| <= absolute + relative * |expected|; NaN never passes.
 *
 * @throws {TypeError} If the manifest has cases and the estimator has no `run`.
 * @throws {SednaError} If a file cannot be read or the model cannot be run; `wire-format` if a file is not
 * valid safetensors.
 */
export async function checkGolden(
  estimator: Pick<Estimator<never, unknown>, "run">,
  model: VerifiedModel,
  { maxCases = Infinity, signal }: CheckGoldenOptions = {},
): Promise<GoldenCheck> {
  const cases = (model.manifest.golden ?? []).slice(0, maxCases);
  if (cases.length > 0 && !estimator.run)
    throw new TypeError("check golden cases: expected an estimator that runs tensors; got one without run()");
  let passed = 0;
  for (const golden of cases) {
    const inputs = readSafetensors(await model.read(golden.inputs, { signal })).tensors;
    const expected = readSafetensors(await model.read(golden.outputs, { signal })).tensors;
    const problem = misfit(await estimator.run!(inputs, { signal }), {
      expected,
      tolerance: golden.tolerance,
    });
    if (problem !== undefined)
      return {
        passed,
        mismatch: new SednaError(`check the golden case ${golden.inputs}: ${problem}`, {
          code: "model-mismatch",
        }),
      };
    passed++;
  }
  return { passed };
}

/** Describes the first mismatch as `expected ...; got ...`. Returns `undefined` if all outputs pass. */
function misfit(
  outputs: Tensors,
  { expected, tolerance }: { readonly expected: Tensors; readonly tolerance: GoldenCase["tolerance"] },
): string | undefined {
  for (const [name, wanted] of Object.entries(expected)) {
    const given: Tensor | undefined = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    if (given?.dtype !== wanted.dtype || String(given.shape) !== String(wanted.shape)) {
      return `expected ${name} as ${wanted.dtype} [${wanted.shape}]; got ${given ? `${given.dtype} [${given.shape}]` : describeValue(given)}`;
    }
    for (let i = 0; i < wanted.data.length; i++) {
      const [want, got] = [Number(wanted.data[i]), Number(given.data[i])];
      const margin = tolerance.absolute + tolerance.relative * Math.abs(want);
      // Compare in this direction, so that NaN fails. Equal infinities have no finite difference.
      if (!(Math.abs(got - want) <= margin || got === want))
        return `expected ${name}[${i}] within ${margin} of ${want}; got ${got}`;
    }
  }
  return undefined;
}
