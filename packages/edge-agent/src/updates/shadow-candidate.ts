import { withDeadline } from "@sedna-js/core/async";
import { messageOf } from "@sedna-js/core/errors";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { copySample } from "../frames/copy-sample.ts";
import { median, shadowSummary, shadowVerdict, type Verdict } from "./verdicts.ts";
import type { ModelSlot, Watched } from "./model-slot.ts";
import { hasNaN } from "./result-agreement.ts";

import type { CheckedUpdaterSettings } from "./updater-settings.ts";

/** Options of {@link shadowCandidate}. */
export interface ShadowOptions<Sample, Result> {
  readonly slot: ModelSlot<Sample, Result, SupervisedModel<Sample, Result>>;
  readonly candidate: SupervisedModel<Sample, Result>;
  /** Agreement of two results for one sample, in [0,1]. */
  readonly agreement: (candidate: Result, current: Result) => number;
  readonly settings: CheckedUpdaterSettings;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Result of a shadow: measurements of the candidate and of the current model. */
export interface Shadow {
  readonly verdict: Verdict;
  readonly summary: ReturnType<typeof shadowSummary>;
  /** Median duration of the current model's calls, in ms, and the share of frames on which it failed. */
  readonly current: { readonly ms: number; readonly errorRate: number };
}

/**
 * Runs a candidate on live frames beside the model in the slot, without using its results. It runs on copies,
 * one at a time, and skips the frames that arrive meanwhile, so that no live result is delayed. Its first run
 * is a warm-up and not timed.
 *
 * @throws The signal's reason.
 */
export async function shadowCandidate<Sample, Result>(
  options: ShadowOptions<Sample, Result>,
): Promise<Shadow> {
  const { slot, candidate, agreement, settings, now, signal } = options;
  signal.throwIfAborted();
  const record = {
    agreements: [] as number[],
    candidateMs: [] as number[],
    currentMs: [] as number[],
    failures: [] as string[],
  };
  // A supervisor hides failures from which it recovers. A device lost by both models is not the candidate's
  // fault.
  const before = { own: candidate.failures, current: slot.current.failures };
  const ownFailures = (): number =>
    candidate.failures - before.own - Math.max(0, slot.current.failures - before.current);
  let calls = 0;
  let errors = 0;
  let isWarm = false;
  let running: Promise<void> | undefined;

  let settle!: (verdict: Verdict) => void;
  let fail!: (reason: unknown) => void;
  const settled = new Promise<Verdict>((resolve, reject) => ([settle, fail] = [resolve, reject]));
  const judge = (isOver: boolean): void => {
    const verdict = shadowVerdict({ ...record, isOver }, settings);
    if (verdict.decision !== "wait") settle(verdict);
  };

  /** Runs the candidate on a frame. The synchronous part delays the live result. */
  const answer = async ({
    sample,
    result: given,
  }: Watched<Sample, Result, SupervisedModel<Sample, Result>>): Promise<void> => {
    // Clone first, because it may throw: a sample held before that would never be released.
    const result = structuredClone(given) as Result;
    const held = await copySample(sample);
    try {
      const started = now();
      const predict = (given: AbortSignal): Promise<Result> =>
        candidate.predict(held.sample, { signal: given });
      const own = await withDeadline(predict, {
        deadlineMs: settings.shadowRunMs,
        signal,
        action: "run a live frame on the candidate",
      });
      const ms = now() - started;
      if (hasNaN(own)) {
        record.failures.push(
          "run a live frame on the candidate: expected numbers, as in the current version's result; got NaN",
        );
        return;
      }
      if (ownFailures() > 0) {
        record.failures.push(
          "run a live frame on the candidate: expected a model that keeps running; got one that was restarted",
        );
        return;
      }
      record.agreements.push(agreement(own, result));
      if (isWarm) record.candidateMs.push(ms);
      isWarm = true;
    } catch (error) {
      if (!signal.aborted) record.failures.push(messageOf(error));
    } finally {
      held.release();
    }
  };

  const stopWatching = slot.watch((watched) => {
    calls++;
    if ("error" in watched || hasNaN(watched.result)) {
      errors++;
      return;
    }
    record.currentMs.push(watched.ms);
    running ??= answer(watched)
      // A sample that cannot be copied says nothing about the candidate.
      .catch(() => {})
      .then(() => {
        running = undefined;
        judge(false);
      });
  });
  // A run in progress when time is up may finish: it has its own deadline.
  const timer = setTimeout(() => void Promise.resolve(running).then(() => judge(true)), settings.shadowMs);
  const onAbort = (): void => fail(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    judge(false);
    const verdict = await settled;
    return {
      verdict,
      summary: shadowSummary({ ...record, isOver: true }),
      current: { ms: median(record.currentMs), errorRate: calls === 0 ? 0 : errors / calls },
    };
  } finally {
    stopWatching();
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    // Do not let the caller dispose the candidate while it runs.
    await running;
  }
}
