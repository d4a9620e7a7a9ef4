import {
  type EstimatorMetadata,
  SednaError,
  type TensorData,
  type Tensors,
  type TensorSpec,
} from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { arrayOf, elementCount } from "@sedna-js/core/tensor";
import type { ModelManifest } from "@sedna-js/core/wire";
import { checkGolden } from "../models/check-golden.ts";
import type { VerifiedModel } from "../models/model-store.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { isTransient, type ModelRejection } from "./update-events.ts";

/** Options of {@link stageCandidate}. */
interface StageOptions {
  readonly stageMs: number;
  readonly signal: AbortSignal;
  /** Called when the model is open, before it has run. */
  readonly onOpen: () => void;
}

/** What {@link stageCandidate} found: golden cases that passed, or why the version is refused. */
type Staged =
  | { readonly goldenCases: number }
  | { readonly rejection: ModelRejection; readonly error: unknown };

/**
 * Loads a candidate, checks it against its manifest, runs its golden cases, or zeros where it has none, so
 * that its first live frame finds it warm.
 *
 * @throws what may pass, the deadline included, and the signal's reason.
 */
export async function stageCandidate<Sample, Result>(
  candidate: SupervisedModel<Sample, Result>,
  model: VerifiedModel,
  { stageMs, signal, onOpen }: StageOptions,
): Promise<Staged> {
  const { manifest } = model;
  return withDeadline(
    async (within) => {
      try {
        const metadata = await candidate.load({ signal: within });
        if (candidate.backend === "cloud")
          throw new SednaError(
            `open ${manifest.name} ${manifest.version}: expected a backend that runs it; got none`,
            { code: "edge-unavailable" },
          );
        checkContract(manifest, metadata);
        onOpen();
        if (!manifest.golden?.length) await runOnZeros(candidate, metadata, within);
      } catch (error) {
        if (within.aborted || isTransient(error)) throw error;
        return { rejection: "does-not-open", error };
      }
      try {
        const { passed, mismatch } = await checkGolden(candidate, model, { signal: within });
        return mismatch ? { rejection: "golden-mismatch", error: mismatch } : { goldenCases: passed };
      } catch (error) {
        if (within.aborted || isTransient(error)) throw error;
        return {
          rejection:
            error instanceof SednaError && error.code === "model-unreadable"
              ? "unreadable"
              : "golden-mismatch",
          error,
        };
      }
    },
    { deadlineMs: stageMs, signal, action: `stage ${manifest.name} ${manifest.version}` },
  );
}

/**
 * A first run compiles what a backend compiles. A model with free axes beside the batch has no size to be run
 * at.
 */
async function runOnZeros<Sample, Result>(
  candidate: SupervisedModel<Sample, Result>,
  { inputs }: EstimatorMetadata,
  signal: AbortSignal,
): Promise<void> {
  if (!candidate.run || inputs.some(({ shape }) => shape.slice(1).includes(-1))) return;
  const zeros: Tensors = Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => {
      const full = shape.map((axis) => (axis === -1 ? 1 : axis));
      return [name, { dtype, shape: full, data: new arrayOf[dtype](elementCount(full)) as TensorData }];
    }),
  );
  await candidate.run(zeros, { signal });
}

/**
 * Checks that a model which was opened takes and gives what its manifest promises; where it lists nothing, as
 * for a model without a signature, it promises nothing.
 * @throws {SednaError} `model-mismatch` naming the input or output that differs.
 */
function checkContract(
  { name, version, inputs, outputs }: ModelManifest,
  metadata: Pick<EstimatorMetadata, "inputs" | "outputs">,
): void {
  const check = (what: string, promised: readonly TensorSpec[], given: readonly TensorSpec[]): void => {
    const words = (specs: readonly TensorSpec[]): string =>
      specs
        .map((spec) => `${spec.name} ${spec.dtype} [${spec.shape}]`)
        .toSorted()
        .join(", ") || "none";
    if (promised.length > 0 && words(promised) !== words(given))
      throw new SednaError(
        `open ${name} ${version}: expected the ${what} ${words(promised)}; got ${words(given)}`,
        { code: "model-mismatch" },
      );
  };
  check("inputs", inputs, metadata.inputs);
  check("outputs", outputs, metadata.outputs);
}
