import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import {
  type FederationEffect,
  type FederationEvent,
  type FederationState,
  nextTick,
  reduceFederation,
} from "@sedna-js/core/federation";
import { loadVectorKernels, type VectorKernels } from "@sedna-js/wasm-kernels";
import { memoryBlob, modelBlob, versionsNeeded } from "../log/blob-names.ts";
import { deleteUnneeded, type MadeModel, type ModelVersion, snapshotOf } from "../log/model-versions.ts";
import { makeModel } from "./make-model.ts";
import { openRun, type OpenRunOptions } from "./open-run.ts";
import { createRoundAccount } from "./round-account.ts";
import type { RoundAccumulator } from "./round-accumulator.ts";
import { changedAssignments, closedRound, type RoundChange } from "./round-change.ts";
import { dropAccumulator, type RoundRun, startAccumulator } from "./round-run.ts";

// The only owner of a federation's state. All that happens is an event; dispatch() is the single place that
// changes the state, and every change takes the same way:
//
//   event -> reduceFederation (pure) -> effects (accumulator) -> journal -> subscribers -> next tick
//
// A round closes in three steps. The reducer marks it as closing; startClosing() makes the model, which takes
// a while and touches the disk; publish() dispatches "aggregated" with the new version. Updates that arrive
// in between are rejected by the reducer's rules. An event that the journal has noted is written in the order
// of its dispatch, so a restart replays the same states. Errors of the accumulator become the event "failed":
// the round is abandoned and opened again after a pause, and clients send their updates again.

/**
 * Events in the log after which the next round starts from a snapshot: replaying as many takes a second or
 * two.
 */
const MAX_EVENTS = 50_000;

/** The longest delay that engines' timers support, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The rounds of a federation; created by {@link createRounds}. `state`, `kernels`,
 * `accumulator`, `models`, and `dispatch` throw a `SednaError` with code `disposed` before the start and
 * after the close.
 */
export interface Rounds {
  readonly state: FederationState;
  readonly kernels: VectorKernels;
  /** The active round's accumulator. */
  readonly accumulator: RoundAccumulator | undefined;
  /** Models that clients may fetch. */
  readonly models: ReadonlyMap<number, ModelVersion>;
  /** True if clients that joined before the start received another plan. */
  readonly planChanged: boolean;
  /** Privacy spent after each round. */
  readonly epsilons: ReadonlyMap<number, number>;
  readonly healthy: boolean;
  readonly isOpen: boolean;
  start(): Promise<void>;
  dispatch(event: FederationEvent): void;
  /** Calls the listener after each event, once the state has changed. */
  subscribe(listener: (change: RoundChange) => void): void;
  close(): Promise<void>;
}

/** Options of {@link createRounds}. */
export interface RoundsOptions extends OpenRunOptions {
  readonly kernels: VectorKernels | undefined;
}

/** Creates the rounds of a federation. */
export function createRounds(options: RoundsOptions): Rounds {
  const { log, plan, keepUpdates, now, timers, logger } = options;
  const account = createRoundAccount(options.privacy);
  const listeners: ((change: RoundChange) => void)[] = [];
  let running: RoundRun | undefined;
  let planChanged = false;
  let phase: "new" | "open" | "closed" = "new";

  const current = (): RoundRun => {
    if (running && phase === "open") return running;
    throw new SednaError(
      `use the federation ${plan.name}: expected one that is open; got one that is ${phase}`,
      { code: "disposed", retryable: true },
    );
  };

  const carryOut = (run: RoundRun, effect: FederationEffect): void => {
    switch (effect.type) {
      case "open":
        try {
          startAccumulator(run, effect.round, options);
        } catch (error) {
          // For example without memory. dispatch() abandons the round once the event is noted.
          logger.error({ error: messageOf(error) }, "a round could not be opened");
        }
        break;
      case "abandon":
      case "finish":
        dropAccumulator(run);
        break;
      case "quarantine":
        logger.info({ untilRound: effect.untilRound }, "a client is quarantined for malformed updates");
        break;
      case "aggregate":
        break;
      default:
        effect satisfies never;
    }
  };

  const dispatch = (given: FederationEvent, record?: (event: FederationEvent) => void): void => {
    const run = current();
    run.lastEventAt = Math.max(run.lastEventAt, given.at);
    const event = { ...given, at: run.lastEventAt };
    run.loggedEvents++;
    const before = run.state;
    const { state: after, effects } = reduceFederation(before, event);
    const hasModel = after.modelVersion !== before.modelVersion;
    run.state = after;
    if (hasModel) dropAccumulator(run);
    for (const effect of effects) carryOut(run, effect);
    if (record) record(event);
    else if (event.type !== "ticked" || after !== before) run.journal.note(event);
    account.follow({ before, after });
    const isWide = effects.length > 0 || hasModel;
    const isAbandoned = effects.some(({ type }) => type === "abandon");
    const closed = hasModel
      ? closedRound(after, "aggregated")
      : isAbandoned
        ? closedRound(after, "abandoned")
        : undefined;
    const change = { event, isWide, assigned: isWide ? [] : changedAssignments(before, after), closed };
    for (const listener of listeners) listener(change);
    if (run.state.open?.closing && !run.closing) startClosing(run);
    const { open } = run.state;
    if (open && !open.closing && !run.accumulator)
      dispatch({ type: "failed", at: run.lastEventAt, round: open.round });
    else schedule(run);
  };

  const schedule = (run: RoundRun): void => {
    if (run.tick !== undefined) timers.clear(run.tick);
    run.tick = undefined;
    const at = phase === "open" ? nextTick(run.state) : undefined;
    if (at === undefined) return;
    const delay = Math.max(1, at - Math.max(now(), run.lastEventAt));
    // A delay beyond the timer's limit ends early; the tick then schedules the rest.
    run.tick = timers.set(() => dispatch({ type: "ticked", at: now() }), Math.min(MAX_TIMER_MS, delay));
  };

  const startClosing = (run: RoundRun): void => {
    const { round } = run.state.open!;
    const work = makeModel(run, log)
      .catch((error: unknown) => {
        if (phase === "open") logger.error({ error: messageOf(error) }, "a round's model could not be made");
        return undefined;
      })
      .then((made) => {
        if (run.closing === work) run.closing = undefined;
        if (phase !== "open") return undefined;
        if (made) return publish(run, made);
        dispatch({ type: "failed", at: now(), round });
        return undefined;
      });
    run.closing = work;
  };

  const publish = async (run: RoundRun, made: MadeModel): Promise<void> => {
    const { round, version, model, serverState, sha256 } = made;
    run.models.set(version, { parameters: model, sha256 });
    run.serverState = serverState;
    const blobs = {
      version,
      blob: modelBlob(version),
      sha256,
      ...(serverState && { memory: memoryBlob(version) }),
    };
    dispatch({ type: "aggregated", at: now(), round, modelVersion: version }, (event) =>
      run.journal.noteRecord({
        type: "aggregated",
        event: event as Extract<FederationEvent, { type: "aggregated" }>,
        model: blobs,
      }),
    );
    snapshot(run);
    const needed = versionsNeeded(run.state);
    for (const kept of run.models.keys()) if (!needed.has(kept)) run.models.delete(kept);
    try {
      // Until the log names this model, a restart needs the one before.
      await run.journal.flush();
      await deleteUnneeded(log, { state: run.state, keepUpdates });
    } catch (error) {
      if (phase === "open") logger.error({ error: messageOf(error) }, "unneeded blobs could not be deleted");
    }
  };

  /**
   * Replaces a long log by a snapshot. Between two rounds the state is complete; a log kept for audits stays
   * whole.
   */
  const snapshot = (run: RoundRun): void => {
    if (keepUpdates || run.loggedEvents < (options.checkpoint?.events ?? MAX_EVENTS)) return;
    const record = snapshotOf({
      at: run.lastEventAt,
      plan,
      length: options.length,
      state: run.state,
      models: run.models,
      hasMemory: run.serverState !== undefined,
      accounted: account.rounds,
    });
    if (!record) return;
    run.journal.beginAnew(record);
    run.loggedEvents = 0;
  };

  const open = async (kernels: VectorKernels): Promise<void> => {
    const { run, opened, lost } = await openRun(kernels, { ...options, account });
    running = run;
    planChanged = opened.hasNewPlan;
    phase = "open";
    if (lost) {
      // Clients see `accepted: false` and send their updates again.
      logger.error({ error: messageOf(lost) }, "the active round could not be restored and is abandoned");
      dispatch({ type: "failed", at: run.lastEventAt, round: run.state.open!.round });
    }
    // If the clock was set back meanwhile, deadlines count from now, not from the old clock.
    if (opened.at > run.lastEventAt || opened.isChanged) dispatch({ type: "ticked", at: run.lastEventAt });
    else if (run.state.open?.closing) startClosing(run);
    else schedule(run);
  };

  return {
    get state() {
      return current().state;
    },
    get kernels() {
      return current().kernels;
    },
    get accumulator() {
      return current().accumulator;
    },
    get models() {
      return current().models;
    },
    epsilons: account.epsilons,
    get planChanged() {
      return planChanged;
    },
    get healthy() {
      return phase === "open" && running!.journal.healthy;
    },
    get isOpen() {
      return phase === "open";
    },
    dispatch,
    subscribe: (listener) => void listeners.push(listener),
    async start() {
      if (phase !== "new")
        throw new SednaError(
          `start the federation ${plan.name}: expected a new one; got one that is ${phase}`,
          { code: "disposed" },
        );
      const kernels = options.kernels ?? (await loadVectorKernels());
      try {
        await open(kernels);
      } catch (error) {
        if (!options.kernels) kernels.dispose();
        await log.close();
        throw error;
      }
    },
    async close() {
      if (phase === "closed") return;
      const run = running;
      phase = "closed";
      if (!run) return;
      if (run.tick !== undefined) timers.clear(run.tick);
      await run.journal.close();
      await run.closing;
      dropAccumulator(run);
      if (!options.kernels) run.kernels.dispose();
      await log.close();
    },
  };
}
