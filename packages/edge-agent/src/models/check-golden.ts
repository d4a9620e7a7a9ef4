import { SednaError, type Estimator, type Tensor, type Tensors } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import { readSafetensors, type GoldenCase } from "@sedna-js/core/wire";
import type { VerifiedModel } from "./model-store.ts";

/** Options of {@link checkGolden}. */
export interface CheckGoldenOptions {
  /** Checks only the first so many cases. Default all. */
  readonly maxCases?: number;
  readonly signal?: AbortSignal;
}

/** What {@link checkGolden} found. */
export interface GoldenCheck {
  /** Cases that passed. */
  readonly passed: number;
  /** What the first case that did not pass gave, `model-mismatch`; nothing is run after it. */
  readonly mismatch?: SednaError;
}

/**
 * Runs a model on the golden cases of its manifest, which passes where it has none. An output passes where
 * each of its elements keeps |got - expected| <= absolute + relative * |expected|; NaN passes nowhere.
 *
 * @throws {TypeError} where the estimator has no `run`.
 * @throws {SednaError} what reading the files and running the model throw; `wire-format` on a file that is no
 * safetensors.
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

/** What is wrong with outputs: `expected ..., got ...`; undefined where nothing is. */
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
      // Asked this way round, so that NaN is no pass. Equal infinities have no difference to compare.
      if (!(Math.abs(got - want) <= margin || got === want))
        return `expected ${name}[${i}] within ${margin} of ${want}; got ${got}`;
    }
  }
  return undefined;
}
