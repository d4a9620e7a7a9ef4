import { SednaError } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { callListener } from "../async/call-listener.ts";
import type { ModelStore, VerifiedModel } from "../models/model-store.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { createPoller } from "./create-poller.ts";
import { goBack } from "./roll-back.ts";
import { isTransient, type UpdateEvent, type UpdateOutcome, type ModelRejection } from "./update-events.ts";
import type { ModelSlot } from "./model-slot.ts";
import { resultAgreement } from "./result-agreement.ts";
import { takeVersion, type TakeOptions, type UpdateStage } from "./take-version.ts";

import { checkUpdaterSettings, type UpdaterSettings } from "./updater-settings.ts";

/** Options of {@link createUpdater}. */
export interface UpdaterOptions<Sample, Result> {
  /** Where new versions come from, and what became of them is remembered. */
  readonly store: ModelStore;
  /** The place of the model that answers. */
  readonly slot: ModelSlot<Sample, Result, SupervisedModel<Sample, Result>>;
  /** Opens a version in a Worker of its own. The updater disposes it, unless it stays in the slot. */
  readonly open: (
    model: VerifiedModel,
  ) => SupervisedModel<Sample, Result> | Promise<SupervisedModel<Sample, Result>>;
  /**
   * How much two results of one sample agree, in [0,1]. Default: by the kind of the result; see
   * `resultAgreement`.
   */
  readonly agreement?: (candidate: Result, current: Result) => number;
  /** Watched during a probation; larger is better. NaN, or an error, says that it is not known. */
  readonly metric?: () => number;
  readonly settings?: UpdaterSettings;
  readonly onEvent?: (event: UpdateEvent) => void;
  /** Milliseconds, for durations. */
  readonly now?: () => number;
  /** In [0,1); spreads the polls of many devices. */
  readonly random?: () => number;
}

/** Keeps the model in a slot up to date; see {@link createUpdater}. */
export interface Updater {
  /**
   * Looks for a new version and takes it the whole way, or as far as it comes. One at a time: a call while
   * another is under way looks again after that one. Never rejects but with `disposed`: failures are
   * outcomes.
   */
  check(): Promise<UpdateOutcome>;
  /** Checks once a period until `stop` or `dispose`. */
  start(): void;
  stop(): void;
  /**
   * Goes back from the version that answers now, and marks it bad. During its probation the former one is
   * there at once; else the last good version is opened first. Does nothing where an update has replaced it
   * meanwhile.
   * @throws {SednaError} `model-unreadable` where there is no earlier good version; what opening it throws.
   */
  rollback(): Promise<void>;
  readonly state: { readonly stage: UpdateStage; readonly version?: number };
  /**
   * Ends what is under way. A version on trial stays in the slot, unjudged: the next start goes back to the
   * last good one.
   */
  dispose(): Promise<void>;
}

/**
 * Takes new versions of a model while frames flow: staged beside the current one, checked on golden inputs,
 * shadowed on live frames, swapped between two frames, on probation until it is confirmed or taken back.
 *
 * @throws {RangeError} on a setting out of its range. Source: Sedna's ModelLoadingThread (`core/base.py`),
 * which loads in place whatever it finds, unchecked.
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
  const life = new AbortController();
  const { signal } = life;
  let state: Updater["state"] = { stage: "idle" };
  let tail: Promise<unknown> = Promise.resolve();
  let waiting: Promise<UpdateOutcome> | undefined;
  let trial: AbortController | undefined;
  /** What was told last, so that polls do not tell it once a minute. */
  const told: { found?: number; failure?: string } = {};
  /** A version that has passed, until the storage remembers it. */
  let unmarked: { readonly version: number; readonly frames: number } | undefined;

  const serially = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(async () => {
      signal.throwIfAborted();
      try {
        return await work();
      } finally {
        state = { stage: "idle" };
      }
    });
    tail = turn.catch(() => {});
    return turn;
  };
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
  const takeOptions = (asked: AbortSignal): TakeOptions<Sample, Result> => ({
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
          `try ${model} ${version}: expected the process to outlive its trial; it ended in ${known.trials} of them`,
          { code: "run-failed" },
        ),
      );
      await store.mark(version, "bad");
      emit({ type: "update-rejected", model, version, rejection: "errors", error });
      return { result: "rejected", version, rejection: "errors", error };
    }
    if (told.found !== version) emit({ type: "update-found", model, from, version });
    told.found = version;
    // Nobody has judged a first version. It runs, so it is what there is to come back to; a store may drop it
    // else.
    const running = versions.find((one) => one.version === from);
    if (running && running.state !== "good" && running.state !== "bad" && slot.current.backend !== "cloud")
      await store.mark(from, "good");
    state = { stage: "installing", version };
    const installed = await store.install({ signal });
    signal.throwIfAborted();
    const asked = new AbortController();
    trial = asked;
    try {
      const outcome = await takeVersion(installed, takeOptions(asked.signal));
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
        await goBack({ store, slot, open, settings, emit, signal });
      });
    },
    get state() {
      return state;
    },
    async dispose() {
      poller.stop();
      life.abort(
        new SednaError("update the model: expected a live updater; got one that was disposed", {
          code: "disposed",
        }),
      );
      await tail;
    },
  };
}

/** Why what was offered is not taken, where that is what the error says; else it is tried again. */
function refusalOf(error: unknown): ModelRejection | undefined {
  if (!(error instanceof SednaError) || isTransient(error)) return undefined;
  if (error.code === "model-untrusted") return "untrusted";
  if (error.code === "model-outdated") return "outdated";
  if (error.code === "model-mismatch") return "does-not-open";
  return error.code === "model-unreadable" ? "unreadable" : undefined;
}
