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

/**
 * Result of {@link stageCandidate}: the number of golden cases that passed, or why the version is rejected.
 */
type Staged =
  | { readonly goldenCases: number }
  | { readonly rejection: ModelRejection; readonly error: unknown };

/**
 * Loads a candidate, checks it against its manifest, and runs its golden cases, or zeros if it has none, so
 * that it is warm for its first live frame.
 *
 * @throws Transient errors, including the deadline, and the signal's reason.
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
 * Runs the model on zeros, so that the backend compiles it. Skips a model with free axes besides the batch,
 * whose sizes are unknown.
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
 * Checks that the inputs and outputs of an opened model match its manifest. Lists that are empty in the
 * manifest, as for an unsigned model, are not checked.
 * @throws {SednaError} `model-mismatch` if an input or output differs; the message names them.
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
