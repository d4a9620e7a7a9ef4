import {
  createJointInference,
  type Detections,
  type Frame,
  type HardExampleMiner,
  hardExampleMining,
  type JointResult,
  type PlainError,
  type RunOptions,
  SednaError,
  select,
  type Selection,
} from "@sedna-js/core";
import { checkDeadline, createEmitter } from "@sedna-js/core/async";
import { describeValue } from "@sedna-js/core/errors";
import type { ModelManifest } from "@sedna-js/core/wire";
import { checkPrivacy } from "../privacy/privacy-policy.ts";
import { privateBigModel } from "../privacy/private-big-model.ts";
import { restartSource } from "../sources/restart-source.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { createModelSlot } from "../updates/create-model-slot.ts";
import { placeholderModel } from "./placeholder-model.ts";
import type { AgentEvent } from "./agent-events.ts";
import type { AgentStatus, EdgeAgent, EdgeAgentOptions } from "./edge-agent.ts";
import { electLeader } from "./elect-leader.ts";
import { openModel } from "./open-model.ts";

/** The default: no pixels leave the device without permission. */
const features = { level: "features" } as const;

/** Default total deadline of `stop`, in ms. */
const STOP_MS = 5000;

/**
 * Creates an edge agent. The agent runs joint inference on a source and offloads hard samples to the cloud.
 * It queues hard examples until they can be uploaded, restarts its model after failures, and installs updates
 * while frames flow.
 *
 * Nothing is opened before `run`. Failures of its parts are emitted to `on`; only invalid options throw.
 * @throws {TypeError | RangeError} If an option is invalid, or if options cannot be combined.
 */
export function createEdgeAgent<Result = Detections>(options: EdgeAgentOptions<Result>): EdgeAgent<Result> {
  const {
    name,
    source,
    bigModel,
    hardExampleMining,
    policy,
    deadlineMs,
    privacy = features,
    directory = `.sedna/${name}`,
  } = checkOptions(options);
  const { emit: tell, on } = createEmitter<AgentEvent>();
  const state: Mutable<Pick<AgentStatus, "state" | "startedAt" | "source" | "lastError">> = {
    state: "idle",
    startedAt: null,
    source: { state: "closed" },
    lastError: null,
  };
  const emit = (event: AgentEvent): void => {
    const error = failureIn(event);
    if (error) state.lastError = { at: Date.now(), event: event.type, error };
    if (event.type === "source-opened") state.source = { state: "open" };
    if (event.type === "source-failed") state.source = { state: "failed", error: event.message };
    tell(event);
  };

  const slot = createModelSlot<Frame, Result, SupervisedModel<Frame, Result>>(placeholderModel());
  const miner = bindMiner(hardExampleMining, () => slot.current.manifest);
  const joint = createJointInference<Frame, Result>({
    estimator: slot,
    ...(bigModel && { bigModel: privateBigModel(bigModel, privacy) }),
    policy,
    deadlineMs,
    hardExampleMining: miner,
  });
  const model = openModel({ options, directory, slot, emit });
  const leading = electLeader({
    options,
    directory,
    privacy,
    joint: joint.status,
    model,
    events: { emit, on },
  });

  let running: { readonly end: AbortController; readonly over: Promise<void> } | undefined;
  let stopping: Promise<void> | undefined;

  const start = (): void => {
    if (state.startedAt !== null) return;
    state.startedAt = Date.now();
    emit({ type: "agent-started", name });
    model.start();
    leading.start();
  };

  async function* run({ signal, take }: RunOptions): AsyncGenerator<JointResult<Result, Frame>, undefined> {
    if (stopping)
      throw new SednaError("run the edge agent: expected an active agent; got a disposed one", {
        code: "disposed",
      });
    if (running) throw new Error("run the edge agent: expected one run at a time; another run is active");
    const over = deferred();
    const end = new AbortController();
    running = { end, over: over.promise };
    try {
      start();
      state.state = "running";
      // On stop, the source ends. Frames already read from it are still processed.
      const frames = restartSource(source, { onEvent: emit, signal: end.signal });
      for await (const answer of joint.run(frames, { ...(take && { take }), ...(signal && { signal }) })) {
        leading.answered(answer);
        yield answer;
      }
    } finally {
      // Abort after every kind of exit: a source that is silent or waiting for a retry would otherwise stay
      // open or be reopened.
      end.abort();
      running = undefined;
      state.state = stopping ? "stopped" : "idle";
      state.source = { state: "closed" };
      over.resolve();
    }
  }

  const end = async (withinMs: number): Promise<void> => {
    // Use a separate timer: the timer of AbortSignal.timeout does not keep Node alive until this has
    // finished.
    let timer: unknown;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    try {
      running?.end.abort();
      await Promise.race([running?.over, late]);
      // Dispose the model first: the next leader of this job writes updates to the same storage.
      await Promise.race([model.dispose(), late]);
      await Promise.race([leading.stop({ graceMs: withinMs / 2 }), late]);
    } finally {
      clearTimeout(timer);
      state.state = "stopped";
      emit({ type: "agent-stopped", name });
    }
  };
  const dispose = async ({
    deadlineMs: withinMs = STOP_MS,
  }: { readonly deadlineMs?: number } = {}): Promise<void> => {
    stopping ??= end(checkDeadline(withinMs));
    return stopping;
  };

  return {
    run: (runOptions = {}) => run(runOptions),
    on,
    status() {
      const { manifest, backend } = slot.current;
      return {
        name,
        ...state,
        leads: leading.leads,
        model: manifest.version === 0 ? null : { name: manifest.name, version: manifest.version, backend },
        joint: joint.status(),
        queue: leading.queue(),
      };
    },
    update: () => model.update(),
    rollback: () => model.rollback(),
    flush: ({ signal } = {}) => leading.flush(signal ? { signal } : {}),
    dispose,
    [Symbol.asyncDispose]: () => dispose(),
  };
}

/** Returns the error of an event. Events of sources, senders, and queues carry only a message. */
function failureIn(event: AgentEvent): PlainError | undefined {
  if ("error" in event) return event.error;
  return "message" in event && event.type !== "queue-recovered"
    ? { name: "Error", message: event.message }
    : undefined;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => {};
  return { promise: new Promise((settle) => (resolve = settle)), resolve: () => resolve() };
}

function checkOptions<Result>(options: EdgeAgentOptions<Result>): EdgeAgentOptions<Result> {
  const { name, source, model } = options;
  if (typeof name !== "string")
    throw new TypeError(`create the edge agent: expected a name; got ${describeValue(name)}`);
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
    throw new RangeError(
      `create the edge agent: expected a name of letters, digits, ".", "_" and "-"; got ${describeValue(name)}`,
    );
  if (typeof source !== "function")
    throw new TypeError(
      `create the edge agent: expected source as a function that opens it; got ${describeValue(source)}`,
    );
  if (typeof model !== "object" || model === null)
    throw new TypeError(
      `create the edge agent: expected model with one of manifest, file and estimator; got ${describeValue(model)}`,
    );
  const kinds = ["manifest", "file", "estimator"].filter((kind) => kind in model);
  if (kinds.length !== 1)
    throw new TypeError(
      `create the edge agent: expected model with one of manifest, file and estimator; got ${kinds.join(", ") || "none"}`,
    );
  if ("manifest" in model && model.keys.length === 0)
    throw new RangeError("create the edge agent: expected at least one key that signs the model; got none");
  const { threads = 1, runTimeoutMs } = options;
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new RangeError(
      `create the edge agent: expected threads as a whole number from 1 up; got ${describeValue(threads)}`,
    );
  if (runTimeoutMs !== undefined) checkDeadline(runTimeoutMs);
  checkPrivacy(options.privacy ?? features);
  return options;
}

/**
 * Returns the miner itself, or builds one from its name. A named miner takes its parameters from the job, or
 * else from the thresholds of the current model. Those change with the model, between two frames.
 * @throws {UnknownAlgorithmError} If no miner has the given name.
 * @throws {RangeError} If the miner does not accept the job's parameters.
 */
function bindMiner<Result>(
  miner: HardExampleMiner<Result> | Selection | undefined,
  manifest: () => ModelManifest,
): HardExampleMiner<Result> | undefined {
  if (miner === undefined || typeof miner === "function") return miner;
  const build = (thresholds: ModelManifest["thresholds"]): HardExampleMiner<Result> => {
    const selection =
      miner.param === undefined && thresholds !== undefined ? { ...miner, param: thresholds } : miner;
    return select(hardExampleMining, selection as never) as HardExampleMiner<Result>;
  };
  let bound: { readonly to: ModelManifest["thresholds"]; readonly judge: HardExampleMiner<Result> } = {
    to: undefined,
    judge: build(undefined),
  };
  return (result) => {
    const { thresholds } = manifest();
    if (thresholds !== bound.to) bound = { to: thresholds, judge: build(thresholds) };
    return bound.judge(result);
  };
}
