import { openByteStore } from "#platform/storage";
import { sednaModelStore } from "#platform/updates";
import { type Estimator, type Frame, SednaError } from "@sedna-js/core";
import { backoff } from "@sedna-js/core/async";
import { toPlainError } from "@sedna-js/core/errors";
import type { ModelManifest } from "@sedna-js/core/wire";
import { delay } from "@sedna-js/core/async";
import { createModelStore } from "../models/create-model-store.ts";
import { localModel } from "../models/local-model.ts";
import type { ModelStore, VerifiedModel } from "../models/model-store.ts";
import { superviseModel } from "../supervisor/supervise-model.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { createUpdater, type Updater } from "../updates/create-updater.ts";
import type { ModelSlot } from "../updates/model-slot.ts";
import { checkUpdaterSettings } from "../updates/updater-settings.ts";
import { placeholderModel } from "./placeholder-model.ts";
import type { AgentEvent } from "./agent-events.ts";
import type { EdgeAgentOptions, UpdateSettings } from "./edge-agent.ts";

/** Options of {@link openModel}. */
interface OpenModelOptions<Result> {
  readonly options: EdgeAgentOptions<Result>;
  /** Node: directory of the model's files. */
  readonly directory: string;
  readonly slot: ModelSlot<Frame, Result, SupervisedModel<Frame, Result>>;
  readonly emit: (event: AgentEvent) => void;
  readonly random?: () => number;
}

/** The agent's model: opens it into the slot and updates it. */
export interface AgentModel {
  readonly manifest: ModelManifest;
  /** Opens the model, and retries until it succeeds. */
  start(): void;
  /** Starts checking for new versions. */
  startUpdates(): void;
  update(): Promise<void>;
  rollback(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * The first wait for a model that could not be had is at most this long, in ms; it doubles up to {@link
 * MAX_WAIT_MS}.
 */
const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;

/**
 * Opens the agent's model into the slot, and keeps it up to date if it is a signed model or one from Sedna.
 * @throws {RangeError} If an update setting is out of range.
 */
export function openModel<Result>({
  options,
  directory,
  slot,
  emit,
  random = Math.random,
}: OpenModelOptions<Result>): AgentModel {
  const { name, model, createWorker, executionProviders, threads, runTimeoutMs, fetch } = options;
  // Validate now, while errors reach the caller: the model is opened later, and again after failures.
  checkUpdaterSettings(
    "manifest" in model ? model.update : "file" in model ? model.sedna?.update : undefined,
  );
  const life = new AbortController();
  let opening: Promise<void> | undefined;
  let wantsUpdates = false;
  let updater: Updater | undefined;

  const supervise = (verified: VerifiedModel): SupervisedModel<Frame, Result> =>
    superviseModel<Frame, Result>({
      model: verified,
      createWorker,
      executionProviders,
      threads,
      runTimeoutMs,
      onEvent: emit,
    });
  const put = async (next: SupervisedModel<Frame, Result>): Promise<void> => {
    const former = await slot.swap(next);
    await former.dispose();
  };

  const openSigned = async (source: Extract<typeof model, { manifest: unknown }>): Promise<void> => {
    const { manifest, keys, name: modelName, update: settings } = source;
    const onDegraded = ({ error }: { readonly error: unknown }): void =>
      emit({ type: "model-not-kept", error: toPlainError(error) });
    const bytes = await openByteStore({
      name: `sedna-models-${name}`,
      directory: `${directory}/models`,
      onDegraded,
    });
    const onDamage = (error: unknown): void => emit({ type: "model-damaged", error: toPlainError(error) });
    const store = createModelStore({
      manifest,
      keys,
      ...(modelName === undefined ? {} : { name: modelName }),
      bytes,
      onDamage,
      fetch,
    });
    const verified = (await store.current()) ?? (await store.install({ signal: life.signal }));
    life.signal.throwIfAborted();
    await put(supervise(verified));
    follow(store, settings);
  };
  const openFile = async (source: Extract<typeof model, { file: unknown }>): Promise<void> => {
    const base = localModel(source);
    const { sedna } = source;
    // Check before the model is in the slot: without trust in local files, nothing may run.
    const store = sedna && sednaModelStore({ ...sedna, base });
    await put(supervise(base));
    if (store) follow(store, sedna.update);
  };
  const follow = (
    store: ModelStore,
    { agreement, metric, ...settings }: UpdateSettings<Result> = {},
  ): void => {
    updater = createUpdater<Frame, Result>({
      store,
      slot,
      open: supervise,
      settings,
      agreement,
      metric,
      onEvent: emit,
    });
    if (wantsUpdates) updater.start();
  };
  const openOnce = async (): Promise<void> => {
    if ("estimator" in model) return put(adaptEstimator(model.estimator));
    if ("file" in model) return openFile(model);
    return openSigned(model);
  };
  const open = async (): Promise<void> => {
    for (let tried = 0; !life.signal.aborted; tried++) {
      try {
        return await openOnce();
      } catch (error) {
        if (life.signal.aborted) return;
        const retryAfterMs = error instanceof SednaError ? error.retryAfterMs : undefined;
        const retryInMs = Math.round(
          backoff({ tried, baseMs: MIN_WAIT_MS, capMs: MAX_WAIT_MS, retryAfterMs, random }),
        );
        emit({ type: "model-missing", error: toPlainError(error), retryInMs });
        await delay(retryInMs, life.signal);
      }
    }
  };
  const signed = (): Updater => {
    if (updater) return updater;
    const why = "manifest" in model ? "it is not open yet" : "this agent's model is not signed";
    throw new SednaError(`update the model: expected a signed model; ${why}`, {
      code: "edge-unavailable",
      retryable: "manifest" in model,
    });
  };

  return {
    get manifest() {
      return slot.current.manifest;
    },
    start() {
      opening ??= open();
    },
    startUpdates() {
      wantsUpdates = true;
      updater?.start();
    },
    async update() {
      await signed().check();
    },
    async rollback() {
      await signed().rollback();
    },
    async dispose() {
      life.abort();
      await opening;
      await updater?.dispose();
      await slot.dispose();
    },
  };
}

/** Adapts an app's own estimator to the slot. Version 0 means that there is no model information. */
function adaptEstimator<Frame, Result>(estimator: Estimator<Frame, Result>): SupervisedModel<Frame, Result> {
  const { manifest, backend, failures } = placeholderModel<Frame, Result>();
  // Call the methods on the estimator itself: a class with private fields requires its own `this`.
  return {
    manifest,
    backend,
    failures,
    load: (options) => estimator.load(options),
    predict: (sample, options) => estimator.predict(sample, options),
    get predictBatch() {
      return estimator.predictBatch?.bind(estimator);
    },
    get run() {
      return estimator.run?.bind(estimator);
    },
    dispose: () => estimator.dispose(),
    [Symbol.asyncDispose]: () => estimator.dispose(),
  };
}
