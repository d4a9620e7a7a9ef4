import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import type { ModelSlot } from "./model-slot.ts";
import { type Baseline, probationVerdict, type Verdict } from "./verdicts.ts";
import { hasNaN } from "./result-agreement.ts";
import type { CheckedUpdaterSettings } from "./updater-settings.ts";

/** Options of {@link watchProbation}. */
export interface ProbationOptions<Sample, Result> {
  readonly slot: ModelSlot<Sample, Result, SupervisedModel<Sample, Result>>;
  /** The model on probation, which is in the slot. */
  readonly model: SupervisedModel<Sample, Result>;
  readonly baseline: Baseline;
  /** The monitored metric. Larger is better; NaN means unknown. */
  readonly metric: () => number;
  readonly settings: CheckedUpdaterSettings;
  readonly signal: AbortSignal;
  /** Aborted when a rollback is requested. */
  readonly asked: AbortSignal;
}

/**
 * Watches the live results of a new version until there is a verdict.
 * @throws The signal's reason.
 */
export async function watchProbation<Sample, Result>({
  slot,
  model,
  baseline,
  metric,
  settings,
  signal,
  asked,
}: ProbationOptions<Sample, Result>): Promise<{ readonly verdict: Verdict; readonly frames: number }> {
  signal.throwIfAborted();
  const answersMs: number[] = [];
  const failuresBefore = model.failures;
  let errors = 0;
  let errorsInARow = 0;

  let settle!: (verdict: Verdict) => void;
  let fail!: (reason: unknown) => void;
  const settled = new Promise<Verdict>((resolve, reject) => ([settle, fail] = [resolve, reject]));
  const judge = (isOver: boolean): void => {
    const verdict = probationVerdict(
      {
        answersMs,
        errors,
        errorsInARow,
        restarts: model.failures - failuresBefore,
        metric: metric(),
        isOver,
      },
      { baseline, settings },
    );
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
    const count = answersMs.length + errors;
    // A verdict sorts all durations. The more there are, the less a new one changes it.
    if (errorsInARow > 0 || count >= settings.probationFrames || count % Math.ceil(count / 100) === 0)
      judge(false);
  });
  const timer = setTimeout(() => judge(true), settings.probationMs);
  const onAbort = (): void => fail(signal.reason);
  const onAsked = (): void =>
    settle({
      decision: "refuse",
      rejection: "asked",
      reason: "expected no rollback; a rollback was requested",
    });
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
