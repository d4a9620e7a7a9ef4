import type { Estimator } from "@sedna-js/core";
import type { ModelSlot } from "./model-slot.ts";
import { probationVerdict, type Baseline } from "./probation-verdict.ts";
import { hasNaN } from "./result-agreement.ts";
import type { CheckedUpdaterSettings } from "./updater-settings.ts";
import type { Verdict } from "./verdict.ts";

/** Options of {@link watchProbation}. */
export interface ProbationOptions<Sample, Result, Model extends Estimator<Sample, Result>> {
  readonly slot: ModelSlot<Sample, Result, Model>;
  /** The model on probation, which is in the slot. */
  readonly model: Model;
  readonly baseline: Baseline;
  /** Watched: larger is better; NaN where it is not known. */
  readonly metric: () => number;
  readonly settings: CheckedUpdaterSettings;
  readonly signal: AbortSignal;
  /** Aborted when somebody asks to go back. */
  readonly asked: AbortSignal;
}

/**
 * Watches the live answers of a new version until it is clear what to think of it.
 * @throws the signal's reason.
 */
export async function watchProbation<Sample, Result, Model extends Estimator<Sample, Result>>(
  { slot, model, baseline, metric, settings, signal, asked }: ProbationOptions<Sample, Result, Model>,
): Promise<{ readonly verdict: Verdict; readonly frames: number }> {
  signal.throwIfAborted();
  const answersMs: number[] = [];
  let errors = 0;
  let errorsInARow = 0;

  let settle!: (verdict: Verdict) => void;
  let fail!: (reason: unknown) => void;
  const settled = new Promise<Verdict>((resolve, reject) => ([settle, fail] = [resolve, reject]));
  const judge = (isOver: boolean): void => {
    const verdict = probationVerdict({ answersMs, errors, errorsInARow, metric: metric(), isOver }, { baseline, settings });
    if (verdict.decision !== "wait") settle(verdict);
  };

  const stopWatching = slot.watch((watched) => {
    if (watched.model !== model) return;
    if ("error" in watched || hasNaN(watched.result)) {
      errors++;
      errorsInARow++;
    } else {
      answersMs.push(watched.ms);
      errorsInARow = 0;
    }
    judge(false);
  });
  const timer = setTimeout(() => judge(true), settings.probationMs);
  const onAbort = (): void => fail(signal.reason);
  const onAsked = (): void => settle({ decision: "refuse", refusal: "asked", reason: "expected nobody to object; somebody asked to go back" });
  signal.addEventListener("abort", onAbort, { once: true });
  asked.addEventListener("abort", onAsked, { once: true });
  try {
    judge(false);
    return { verdict: await settled, frames: answersMs.length + errors };
  } finally {
    stopWatching();
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    asked.removeEventListener("abort", onAsked);
  }
}
