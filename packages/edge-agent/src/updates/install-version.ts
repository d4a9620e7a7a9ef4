import { SednaError } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import type { ModelStore, VerifiedModel } from "../models/model-store.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { isTransient, type UpdateEvent, type UpdateOutcome, type ModelRejection } from "./update-events.ts";
import type { ModelSlot } from "./model-slot.ts";
import { retire } from "./retire.ts";
import { shadowCandidate } from "./shadow-candidate.ts";
import { stageCandidate } from "./stage-candidate.ts";

import type { CheckedUpdaterSettings } from "./updater-settings.ts";
import { watchProbation } from "./watch-probation.ts";

/** The stage of a version. */
export type UpdateStage =
  | "idle"
  | "checking"
  | "installing"
  | "staging"
  | "shadowing"
  | "probation"
  | "rolling-back";

/** Dependencies and settings to install a version. */
export interface RolloutOptions<Sample, Result> {
  readonly store: ModelStore;
  readonly slot: ModelSlot<Sample, Result, SupervisedModel<Sample, Result>>;
  readonly open: (
    model: VerifiedModel,
  ) => SupervisedModel<Sample, Result> | Promise<SupervisedModel<Sample, Result>>;
  readonly agreement: (candidate: Result, current: Result) => number;
  readonly metric: () => number;
  readonly settings: CheckedUpdaterSettings;
  readonly now: () => number;
  readonly emit: (event: UpdateEvent) => void;
  readonly onStage: (stage: UpdateStage, version: number) => void;
  /** Called before the state is written to the store, which may fail. */
  readonly onPassed: (passed: { readonly version: number; readonly frames: number }) => void;
  readonly signal: AbortSignal;
  /** Aborted when a rollback is requested during the probation. */
  readonly asked: AbortSignal;
}

/**
 * Runs all stages of an installed version: opens it beside the current one, checks, shadows, swaps, and
 * watches it, and rolls it back if it fails. Disposes every model opened here, except the one that is in the
 * slot at the end.
 *
 * @throws The signal's reason, or a transient error, such as a storage failure: then there is no verdict on
 * the version.
 */
export async function installVersion<Sample, Result>(
  model: VerifiedModel,
  options: RolloutOptions<Sample, Result>,
): Promise<UpdateOutcome> {
  const { store, slot, open, settings, now, emit, onStage, signal } = options;
  const { name, version } = model.manifest;

  onStage("staging", version);
  const reject = async (rejection: ModelRejection, cause: unknown): Promise<UpdateOutcome> => {
    const error = toPlainError(cause);
    emit({ type: "update-rejected", model: name, version, rejection, error });
    // Files that changed on this device say nothing about the version: the store fetches them again.
    if (rejection !== "unreadable") await store.mark(version, "bad");
    return { result: "rejected", version, rejection, error };
  };
  const started = now();
  let candidate: SupervisedModel<Sample, Result>;
  try {
    candidate = await open(model);
  } catch (error) {
    signal.throwIfAborted();
    if (isTransient(error)) throw error;
    return reject("does-not-open", error);
  }

  try {
    const staged = await stageCandidate(candidate, model, {
      stageMs: settings.stageMs,
      signal,
      onOpen: () => emit({ type: "update-staged", model: name, version, ms: now() - started }),
    });
    if ("rejection" in staged) return await reject(staged.rejection, staged.error);
    emit({ type: "update-checked", model: name, version, goldenCases: staged.goldenCases });

    onStage("shadowing", version);
    const shadow = await shadowCandidate({ ...options, candidate });
    emit({ type: "update-shadowed", model: name, version, ...shadow.summary });
    if (shadow.verdict.decision === "refuse")
      return await reject(
        shadow.verdict.rejection,
        failed(`shadow ${name} ${version}`, shadow.verdict.reason),
      );

    await store.mark(version, "trial");
    signal.throwIfAborted();
    return await onTrial(candidate, { ...options, baseline: shadow.current });
  } finally {
    if (slot.current !== candidate) await retire(candidate, { drainMs: 0 });
  }
}

/** Swaps a candidate in, and keeps either it or its predecessor. The other one is disposed. */
async function onTrial<Sample, Result>(
  candidate: SupervisedModel<Sample, Result>,
  options: RolloutOptions<Sample, Result> & {
    readonly baseline: { readonly ms: number; readonly errorRate: number };
  },
): Promise<UpdateOutcome> {
  const { store, slot, metric, settings, emit, onStage, onPassed } = options;
  const { name, version } = candidate.manifest;
  const former = slot.current;
  const from = former.manifest.version;
  const baseline = { ...options.baseline, metric: metric() };

  onStage("probation", version);
  let drained = slot.swap(candidate);
  // A disposed slot rejects the swap here.
  if (slot.current !== candidate) await drained;
  emit({ type: "update-swapped", model: name, from, version });
  try {
    const { verdict, frames } = await watchProbation({ ...options, model: candidate, baseline });
    if (verdict.decision !== "refuse") {
      onPassed({ version, frames });
      await store.mark(version, "good");
      emit({ type: "update-confirmed", model: name, version, frames });
      return { result: "confirmed", version };
    }
    const { rejection, reason } = verdict;
    const error = toPlainError(failed(`try ${name} ${version}`, reason));
    drained = slot.swap(former);
    if (slot.current !== former) await drained;
    emit({ type: "update-rolled-back", model: name, from: version, to: from, rejection, error });
    await store.mark(version, "bad");
    return { result: "rolled-back", version, rejection, error };
  } finally {
    await retire(slot.current === candidate ? former : candidate, { drained, drainMs: settings.drainMs });
  }
}

function failed(action: string, reason: string): SednaError {
  return new SednaError(`${action}: ${reason}`, { code: "model-mismatch" });
}
