import { callListener, createLifetime, createSerialQueue } from "@sedna-js/core/async";
import { SednaError } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import type { ModelStore, VerifiedModel } from "../models/model-store.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { createPoller } from "./create-poller.ts";
import { rollBack } from "./roll-back.ts";
import { isTransient, type UpdateEvent, type UpdateOutcome, type ModelRejection } from "./update-events.ts";
import type { ModelSlot } from "./model-slot.ts";
import { resultAgreement } from "./result-agreement.ts";
import { installVersion, type RolloutOptions, type UpdateStage } from "./install-version.ts";

import { checkUpdaterSettings, type UpdaterSettings } from "./updater-settings.ts";

/** Options of {@link createUpdater}. */
export interface UpdaterOptions<Sample, Result> {
  /** Source of new versions, which also records their states. */
  readonly store: ModelStore;
  /** The slot of the running model. */
  readonly slot: ModelSlot<Sample, Result, SupervisedModel<Sample, Result>>;
  /** Opens a version in its own Worker. The updater disposes it, unless it stays in the slot. */
  readonly open: (
    model: VerifiedModel,
  ) => SupervisedModel<Sample, Result> | Promise<SupervisedModel<Sample, Result>>;
  /**
   * Agreement of two results for the same sample, in [0,1]. Default: depends on the kind of the result; see
   * `resultAgreement`.
   */
  readonly agreement?: (candidate: Result, current: Result) => number;
  /** Metric monitored during a probation. Larger is better. NaN, or an error, means unknown. */
  readonly metric?: () => number;
  readonly settings?: UpdaterSettings;
  readonly onEvent?: (event: UpdateEvent) => void;
  /** Clock in ms, for durations. */
  readonly now?: () => number;
  /** Random source, uniform in [0,1). Spreads the polls of many devices. */
  readonly random?: () => number;
}

/** Keeps the model in a slot up to date; see {@link createUpdater}. */
export interface Updater {
  /**
   * Checks for a new version and installs it, as far as it passes. Runs one at a time: a call during another
   * one checks again afterwards. Rejects only with `disposed`: failures are outcomes.
   */
  check(): Promise<UpdateOutcome>;
  /** Checks once per period until `stop` or `dispose`. */
  start(): void;
  stop(): void;
  /**
   * Rolls back from the current version, and marks it bad. During its probation the previous model is still
   * open; otherwise the last known good version is opened first. Does nothing if an update has replaced the
   * version meanwhile.
   * @throws {SednaError} `model-unreadable` if there is no earlier good version; the error of opening it.
   */
  rollback(): Promise<void>;
  readonly state: { readonly stage: UpdateStage; readonly version?: number };
  /**
   * Aborts a check in progress. A version on trial stays in the slot without a verdict: the next start loads
   * the last known good version.
   */
  dispose(): Promise<void>;
}

/**
 * Creates an updater, which installs new versions of a model while frames flow. It opens a version beside the
 * current one, checks it on golden inputs, shadows it on live frames, swaps it in between two frames, and
 * watches it on probation until it is confirmed or rolled back.
 *
 * Source: Sedna's ModelLoadingThread (`core/base.py`), which loads any file it finds in place, without
 * checks.
 *
 * @throws {RangeError} If a setting is out of range.
 */
export function createUpdater<Sample, Result>(options: UpdaterOptions<Sample, Result>): Updater {
  const {
    store,
    slot,
    open,
    agreement = resultAgreement,
    metric = () => NaN,
    onEvent = () => {},
    now = () => performance.now(),
    random = Math.random,
  } = options;
  const settings = checkUpdaterSettings(options.settings);
  const life = createLifetime("update the model");
  const { signal } = life;
  let state: Updater["state"] = { stage: "idle" };
  const turns = createSerialQueue();
  let waiting: Promise<UpdateOutcome> | undefined;
  let trial: AbortController | undefined;
  /** What was reported last, so that polls do not report it again each time. */
  const told: { found?: number; failure?: string } = {};
  /** A version that has passed, until the store has recorded it. */
  let unmarked: { readonly version: number; readonly frames: number } | undefined;

  const serially = <T>(work: () => Promise<T>): Promise<T> =>
    turns.run(() => work().finally(() => (state = { stage: "idle" })), { signal });
  const emit = (event: UpdateEvent): void => callListener(onEvent, event);
  const emitFailure = (event: UpdateEvent, key: string): void => {
    if (told.failure !== key) emit(event);
    told.failure = key;
  };
  const watched = (): number => {
    try {
      return metric();
    } catch {
      return NaN;
    }
  };
  const takeOptions = (asked: AbortSignal): RolloutOptions<Sample, Result> => ({
    store,
    slot,
    open,
    agreement,
    metric: watched,
    settings,
    now,
    emit,
    signal,
    asked,
    onStage: (stage, version) => (state = { stage, version }),
    onPassed: (passed) => (unmarked = passed),
  });

  const look = async (): Promise<UpdateOutcome> => {
    state = { stage: "checking" };
    const { name: model, version: from } = slot.current.manifest;
    const { version } = await store.check({ signal });
    if (version <= from) {
      if (unmarked?.version === version) {
        await store.mark(version, "good");
        emit({ type: "update-confirmed", model, ...unmarked });
        unmarked = undefined;
      }
      return { result: "current", version };
    }
    const versions = await store.versions();
    const known = versions.find((one) => one.version === version);
    if (known?.state === "bad") return { result: "known-bad", version };
    if (known?.state === "trial" && known.trials >= settings.maxTrials) {
      const error = toPlainError(
        new SednaError(
          `try ${model} ${version}: expected the process to survive its trials; it ended during ${known.trials} of them`,
          { code: "run-failed" },
        ),
      );
      await store.mark(version, "bad");
      emit({ type: "update-rejected", model, version, rejection: "errors", error });
      return { result: "rejected", version, rejection: "errors", error };
    }
    if (told.found !== version) emit({ type: "update-found", model, from, version });
    told.found = version;
    // A first version has no verdict. It runs, so it is the version to roll back to; otherwise the store may
    // drop it.
    const running = versions.find((one) => one.version === from);
    if (running && running.state !== "good" && running.state !== "bad" && slot.current.backend !== "cloud")
      await store.mark(from, "good");
    state = { stage: "installing", version };
    const installed = await store.install({ signal });
    signal.throwIfAborted();
    const asked = new AbortController();
    trial = asked;
    try {
      const outcome = await installVersion(installed, takeOptions(asked.signal));
      unmarked = undefined;
      return outcome;
    } finally {
      trial = undefined;
    }
  };

  const lookSafely = async (): Promise<UpdateOutcome> => {
    try {
      const outcome = await look();
      delete told.failure;
      return outcome;
    } catch (cause) {
      signal.throwIfAborted();
      const error = toPlainError(cause);
      const model = slot.current.manifest.name;
      const { stage, version } = state;
      const rejection = refusalOf(cause);
      const which = version === undefined ? {} : { version };
      if (rejection) {
        emitFailure(
          { type: "update-rejected", model, ...which, rejection, error },
          `${rejection} ${version}`,
        );
        return { result: "rejected", ...which, rejection, error };
      }
      emitFailure(
        { type: "update-postponed", model, ...which, error },
        `${stage} ${version} ${error.code ?? error.name}`,
      );
      return {
        result: "postponed",
        ...which,
        error,
        ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      };
    }
  };

  const check = (): Promise<UpdateOutcome> => {
    waiting ??= serially(() => {
      waiting = undefined;
      return lookSafely();
    });
    return waiting;
  };
  const poller = createPoller({
    periodMs: settings.pollMs,
    random,
    look: async () => {
      const outcome = await check().catch(() => undefined);
      const failed = outcome?.result === "postponed" || outcome?.result === "rejected";
      return {
        ok: !failed,
        ...(outcome?.result === "postponed" && outcome.retryAfterMs !== undefined
          ? { retryAfterMs: outcome.retryAfterMs }
          : {}),
      };
    },
  });

  return {
    check,
    start() {
      if (!signal.aborted) poller.start();
    },
    stop: () => poller.stop(),
    async rollback() {
      const unwanted = slot.current;
      if (state.stage === "probation") trial?.abort();
      await serially(async () => {
        if (slot.current !== unwanted) return;
        state = { stage: "rolling-back", version: unwanted.manifest.version };
        await rollBack({ store, slot, open, settings, emit, signal });
      });
    },
    get state() {
      return state;
    },
    async dispose() {
      poller.stop();
      life.end();
      await turns.close();
    },
  };
}

/** Returns the reason for which the offered version is rejected, or `undefined` if the error is transient. */
function refusalOf(error: unknown): ModelRejection | undefined {
  if (!(error instanceof SednaError) || isTransient(error)) return undefined;
  if (error.code === "model-untrusted") return "untrusted";
  if (error.code === "model-outdated") return "outdated";
  if (error.code === "model-mismatch") return "does-not-open";
  return error.code === "model-unreadable" ? "unreadable" : undefined;
}
