import type { FederationPrivacy } from "@sedna-js/core/privacy";
import type { VectorKernels } from "@sedna-js/wasm-kernels";
import type { Logger } from "../../http/service.ts";
import type { Timers } from "../../timers.ts";
import type { FederationSetup } from "../federation-setup.ts";
import type { CheckpointOptions, FederationLog } from "../log/federation-log.ts";
import { deleteUnneeded } from "../log/model-versions.ts";
import { openLog, type OpenedLog } from "../log/open-log.ts";
import { restoreAccumulator } from "./restore-accumulator.ts";
import type { RoundAccount } from "./round-account.ts";
import { createRoundJournal } from "./round-journal.ts";
import { startAccumulator, type AccumulatorSource, type RoundRun } from "./round-run.ts";

/** What a run of rounds is opened with. */
export interface OpenRunOptions extends FederationSetup, AccumulatorSource {
  readonly log: FederationLog;
  readonly keepUpdates: boolean;
  readonly checkpoint: CheckpointOptions | undefined;
  readonly initialModel: Float32Array | undefined;
  readonly privacy: FederationPrivacy | undefined;
  readonly seed: number;
  readonly now: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** A run as its log left it. */
export interface OpenedRun {
  readonly run: RoundRun;
  readonly opened: OpenedLog;
  /** Why the active round could not be restored, if it could not. */
  readonly lost: unknown;
}

/** Opens the log, replays it, and restores the accumulator of the active round. */
export async function openRun(
  kernels: VectorKernels,
  options: OpenRunOptions & { readonly account: RoundAccount },
): Promise<OpenedRun> {
  const { log, account, checkpoint, limits, now, logger, timers, keepUpdates } = options;
  const opened = await openLog({
    ...options,
    listener: {
      onEvent: (_, turn) => account.follow(turn),
      onAccounted: (rounds) => rounds.forEach(account.charge),
    },
  });
  const journal = createRoundJournal({
    log,
    sum: () => run.accumulator?.state(),
    lastSum: opened.sum?.mean,
    maxUnwritten: checkpoint?.updates,
    maxWaitMs: checkpoint?.ms,
    logger,
    timers,
  });
  const run: RoundRun = {
    kernels,
    journal,
    models: opened.models,
    state: opened.state,
    accumulator: undefined,
    serverState: opened.serverState,
    lastEventAt: Math.min(opened.at, now()),
    tick: undefined,
    loggedEvents: opened.events,
    closing: undefined,
  };
  const lost = opened.state.open && (await restore());
  await deleteUnneeded(log, { state: run.state, keepUpdates });
  return { run, opened, lost };

  async function restore(): Promise<unknown> {
    try {
      startAccumulator(run, opened.state.open!.round, options);
      // A restart may have changed the plan's encoding; accepted updates keep the one they were sent in.
      const anyEncoding = { ...limits, encoding: undefined, entries: undefined };
      await restoreAccumulator(run.accumulator!, { log, opened, limits: anyEncoding, kernels });
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
