import {
  entriesOf,
  entryOf,
  type FederationEffect,
  type FederationEvent,
  type FederationState,
  nextTick,
  reduceFederation,
  SednaError,
} from "@sedna-js/core";
import { loadVectorKernels, type VectorKernels } from "@sedna-js/wasm-kernels";
import type { FederationOptions, FederationSetup } from "../federation-options.ts";
import type { Federation } from "../federation.ts";
import { memoryBlob, modelBlob, versionsNeeded } from "../log/blob-names.ts";
import type { FederationLog } from "../log/federation-log.ts";
import {
  deleteUnneeded,
  type MadeModel,
  modelFromBefore,
  type ModelVersion,
  sha256Of,
  snapshotOf,
} from "../log/model-versions.ts";
import { type OpenedLog, openLog } from "../log/open-log.ts";

import type { Timers } from "../timers.ts";
import { restoreSum } from "./restore-accumulator.ts";
import { createRoundAccount } from "./round-account.ts";
import { openRoundSum, type RoundSum } from "./round-accumulator.ts";
import { createRoundJournal, type RoundJournal } from "./round-journal.ts";

/** So many lines of a log are read in a second or two. */
const MOST_EVENTS = 50_000;

type RoundClosed = Parameters<Parameters<Federation["onRound"]>[0]>[0];

/** Options of {@link createFederationRounds}. */
interface FederationRoundsOptions
  extends
    Pick<FederationOptions, "aggregator" | "checkpoint" | "initialModel" | "kernels" | "privacy">,
    FederationSetup {
  readonly log: FederationLog;
  readonly keepUpdates: boolean;
  readonly seed: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly timers: Timers;
  readonly logger: NonNullable<FederationOptions["logger"]>;
  /** Told after each event; `isWide` when it was about all clients; `assigned` whose work has begun or ended by it. */
  readonly onChange: (
    event: FederationEvent,
    change: { readonly isWide: boolean; readonly assigned: readonly string[] },
  ) => void;
  readonly onClosed: (closed: RoundClosed) => void;
}

/** The rounds of a federation; see {@link createFederationRounds}. */
export interface FederationRounds {
  readonly state: FederationState;
  readonly kernels: VectorKernels;
  /** The open round's sum. */
  readonly sum: RoundSum | undefined;
  /** Models that clients may ask for. */
  readonly models: ReadonlyMap<number, ModelVersion>;
  /** Clients that joined before the start were told another plan. */
  readonly hasNewPlan: boolean;
  /** What was spent of privacy after a round. */
  readonly epsilons: ReadonlyMap<number, number>;
  readonly healthy: boolean;
  /** False before the start and after the end; then all else throws a SednaError `disposed`. */
  readonly isOpen: boolean;
  start(): Promise<void>;
  dispatch(event: FederationEvent): void;
  close(): Promise<void>;
}

interface Running {
  readonly kernels: VectorKernels;
  readonly journal: RoundJournal;
  readonly models: Map<number, ModelVersion>;
  state: FederationState;
  sum: RoundSum | undefined;
  memory: Float32Array | undefined;
  /** No event of this process is older than the one before, whatever the clock says. */
  at: number;
  tick: unknown;
  /** Events in the log. */
  logged: number;
  /** The model that is being made. */
  closing: Promise<void> | undefined;
}

/**
 * Carries out what the reducer of rounds asks for: opens and closes sums, makes models, wakes it in time, and writes down every event
 * in the order in which it was reduced.
 */
export function createFederationRounds(options: FederationRoundsOptions): FederationRounds {
  const {
    aggregator,
    log,
    plan,
    settings,
    limits,
    keepUpdates,
    now,
    random,
    timers,
    logger,
    privacy,
    onChange,
    onClosed,
  } = options;
  const account = createRoundAccount(privacy);
  let running: Running | undefined;
  let hasNewPlan = false;
  let phase: "new" | "open" | "closed" = "new";
  const using = (): Running => {
    if (!running || phase !== "open")
      throw new SednaError(
        `use the federation ${plan.name}: expected one that is open; got one that is ${phase}`,
        { code: "disposed", retryable: true },
      );
    return running;
  };

  const openSum = (run: Running, round: number): void => {
    run.sum?.dispose();
    const { open, modelVersion } = run.state;
    // More may have been counted by other settings, before a restart.
    const capacity = Math.max(
      settings.buffered?.bufferSize ?? settings.participants,
      open?.counted.size ?? 0,
    );
    run.sum = openRoundSum({
      round,
      aggregator,
      kernels: run.kernels,
      base: run.models.get(open?.modelVersion ?? modelVersion)!.parameters,
      memory: run.memory,
      capacity,
      limits,
      random,
    });
  };
  const dropSum = (run: Running): void => {
    run.sum?.dispose();
    run.sum = undefined;
  };
  const closed = (outcome: "aggregated" | "abandoned"): void => {
    const { state } = using();
    const last = state.history.at(-1)!;
    onClosed({
      round: last.round,
      modelVersion: state.modelVersion,
      outcome,
      totalSamples: last.totalSamples,
      done: state.phase === "done",
    });
  };

  const carryOut = (run: Running, effect: FederationEffect): void => {
    switch (effect.type) {
      case "open":
        try {
          openSum(run, effect.round);
        } catch (error) {
          // Without memory, say. Given up once the event is noted, and tried again after a pause.
          logger.error({ error: messageOf(error) }, "a round could not be opened");
        }
        break;
      case "abandon":
      case "finish":
        dropSum(run);
        break;
      case "quarantine":
        logger.info({ untilRound: effect.untilRound }, "a client is left out for its malformed updates");
        break;
      case "aggregate":
        break;
      default:
        effect satisfies never;
    }
  };

  const dispatch = (given: FederationEvent, record?: (event: FederationEvent) => void): void => {
    const run = using();
    run.at = Math.max(run.at, given.at);
    const event = { ...given, at: run.at };
    run.logged++;
    const before = run.state;
    const { state: after, effects } = reduceFederation(before, event);
    run.state = after;
    if (after.modelVersion !== before.modelVersion) dropSum(run);
    for (const effect of effects) carryOut(run, effect);
    if (record) record(event);
    else if (event.type !== "ticked" || after !== before) run.journal.note(event);
    account.look({ before, after });
    const isWide = effects.length > 0 || after.modelVersion !== before.modelVersion;
    onChange(event, { isWide, assigned: isWide ? [] : changedAssignments(before, after) });
    if (effects.some(({ type }) => type === "abandon")) closed("abandoned");
    if (after.modelVersion !== before.modelVersion) closed("aggregated");
    if (run.state.open?.closing && !run.closing) startClosing(run);
    const { open } = run.state;
    if (open && !open.closing && !run.sum) dispatch({ type: "failed", at: run.at, round: open.round });
    else schedule(run);
  };

  const schedule = (run: Running): void => {
    if (run.tick !== undefined) timers.clear(run.tick);
    run.tick = undefined;
    const at = phase === "open" ? nextTick(run.state) : undefined;
    if (at === undefined) return;
    // Engines wait no longer than this; then it looks again.
    run.tick = timers.set(
      () => dispatch({ type: "ticked", at: now() }),
      Math.min(2 ** 31 - 1, Math.max(1, at - Math.max(now(), run.at))),
    );
  };

  const startClosing = (run: Running): void => {
    const { round } = run.state.open!;
    const work = makeModel(run)
      .catch((error: unknown) => {
        if (phase !== "open") return undefined;
        logger.error({ error: messageOf(error) }, "a round's model could not be made");
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

  /** Everything that the model is made of is on the disk before it is made, and the model before anybody hears of it. */
  const makeModel = async (run: Running): Promise<MadeModel> => {
    const version = run.state.modelVersion + 1;
    await run.journal.flush();
    const { model, memory } = (await modelFromBefore(log, version)) ?? run.sum!.finish();
    const sha256 = await sha256Of(model);
    // The memory first: where the model is, all of it is.
    if (memory) await run.journal.keep({ [memoryBlob(version)]: memory });
    await run.journal.keep({ [modelBlob(version)]: model });
    return { round: run.state.open!.round, version, model, memory, sha256 };
  };

  const publish = async (
    run: Running,
    { round, version, model, memory, sha256 }: MadeModel,
  ): Promise<void> => {
    run.models.set(version, { parameters: model, sha256 });
    run.memory = memory;
    dispatch({ type: "aggregated", at: now(), round, modelVersion: version }, (event) =>
      run.journal.noteRecord({
        type: "aggregated",
        event: event as Extract<FederationEvent, { type: "aggregated" }>,
        model: { version, blob: modelBlob(version), sha256, ...(memory && { memory: memoryBlob(version) }) },
      }),
    );
    shorten(run);
    const needed = versionsNeeded(run.state);
    for (const kept of run.models.keys()) if (!needed.has(kept)) run.models.delete(kept);
    try {
      // Until the log tells of this model, a restart needs the one before.
      await run.journal.flush();
      await deleteUnneeded(log, { state: run.state, keepUpdates });
    } catch (error) {
      if (phase === "open")
        logger.error({ error: messageOf(error) }, "what a federation needs no more could not be deleted");
    }
  };

  /** Between two rounds the state says all: a log that has become long begins anew with it. One that is kept for audits does not. */
  const shorten = (run: Running): void => {
    if (keepUpdates || run.logged < (options.checkpoint?.events ?? MOST_EVENTS)) return;
    const record = snapshotOf({
      ...run,
      plan,
      length: options.length,
      hasMemory: run.memory !== undefined,
      accounted: account.rounds,
    });
    if (record) run.journal.beginAnew(record);
    if (record) run.logged = 0;
  };

  /** The open round's sum as the log has it; or why that cannot be. */
  const restore = async (run: Running, opened: OpenedLog): Promise<unknown> => {
    try {
      openSum(run, opened.state.open!.round);
      await restoreSum(run.sum!, {
        log,
        opened,
        limits: { ...limits, encoding: undefined, entries: undefined },
        kernels: run.kernels,
      });
      return undefined;
    } catch (error) {
      return error;
    }
  };

  const open = async (kernels: VectorKernels): Promise<void> => {
    const opened = await openLog({
      log,
      plan,
      settings,
      length: options.length,
      limits,
      initialModel: options.initialModel,
      seed: options.seed,
      now,
      listener: {
        onEvent: (_, turn) => account.look(turn),
        onAccounted: (rounds) => rounds.forEach(account.charge),
      },
    });
    const journal = createRoundJournal({
      log,
      sum: () => running?.sum?.state(),
      lastSum: opened.sum?.mean,
      maxUnwritten: options.checkpoint?.updates,
      maxWaitMs: options.checkpoint?.ms,
      logger,
      timers,
    });
    const run: Running = {
      kernels,
      journal,
      models: opened.models,
      state: opened.state,
      sum: undefined,
      memory: opened.memory,
      at: Math.min(opened.at, now()),
      tick: undefined,
      logged: opened.events,
      closing: undefined,
    };
    const lost = opened.state.open && (await restore(run, opened));
    await deleteUnneeded(log, { state: run.state, keepUpdates });
    running = run;
    ({ hasNewPlan } = opened);
    phase = "open";
    if (lost) {
      // Its clients hear that nothing of theirs is counted, and send it again.
      logger.error({ error: messageOf(lost) }, "the open round could not be restored, and is given up");
      dispatch({ type: "failed", at: run.at, round: run.state.open!.round });
    }
    // Where the clock was put back since, what is open ends in its time from now, not when the old one comes again.
    if (opened.at > run.at || opened.isChanged) dispatch({ type: "ticked", at: run.at });
    else if (run.state.open?.closing) startClosing(run);
    else schedule(run);
  };

  return {
    get state() {
      return using().state;
    },
    get kernels() {
      return using().kernels;
    },
    get sum() {
      return using().sum;
    },
    get models() {
      return using().models;
    },
    epsilons: account.epsilons,
    get hasNewPlan() {
      return hasNewPlan;
    },
    get healthy() {
      return phase === "open" && running!.journal.healthy;
    },
    get isOpen() {
      return phase === "open";
    },
    dispatch,
    async start() {
      if (phase !== "new")
        throw new SednaError(
          `start the federation ${plan.name}: expected a new one; got one that is ${phase}`,
          { code: "disposed" },
        );
      const kernels = options.kernels ?? (await loadVectorKernels());
      const giveBack = async (): Promise<void> => {
        if (!options.kernels) kernels.dispose();
        await log.close();
      };
      try {
        await open(kernels);
      } catch (error) {
        await giveBack();
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
      dropSum(run);
      if (!options.kernels) run.kernels.dispose();
      await log.close();
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

type Assigned = Pick<FederationState, "assignments">;

/** Clients of a buffer whose work began, ended or is another one. */
function changedAssignments(
  { assignments: before }: Assigned,
  { assignments: after }: Assigned,
): readonly string[] {
  if (before === after) return [];
  const ended = entriesOf(before).filter(({ client }) => entryOf(after, client) === undefined);
  const begun = entriesOf(after).filter((one) => entryOf(before, one.client) !== one);
  return [...ended, ...begun].map(({ client }) => client);
}
