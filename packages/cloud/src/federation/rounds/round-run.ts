import type { Aggregator } from "@sedna-js/core";
import type { FederationState } from "@sedna-js/core/federation";
import type { VectorKernels } from "@sedna-js/wasm-kernels";
import type { ModelVersion } from "../log/model-versions.ts";
import type { UpdateLimits } from "../updates/validate-update.ts";
import { createRoundAccumulator, type RoundAccumulator } from "./round-accumulator.ts";
import type { RoundJournal } from "./round-journal.ts";

/**
 * What exists between the start and the close of a federation's rounds. Invariants: `models` holds every
 * version that the state may hand to a client; `accumulator` belongs to the active round and to no other;
 * `lastEventAt` never decreases; `closing` is set exactly while a model is being made.
 */
export interface RoundRun {
  readonly kernels: VectorKernels;
  readonly journal: RoundJournal;
  readonly models: Map<number, ModelVersion>;
  state: FederationState;
  accumulator: RoundAccumulator | undefined;
  /** What the server optimizer keeps from round to round. */
  serverState: Float32Array | undefined;
  /** Time of the newest event. Later events are never older, whatever the clock says. */
  lastEventAt: number;
  tick: unknown;
  /** Number of events in the log. */
  loggedEvents: number;
  /** The work on the next model, while it is being made. */
  closing: Promise<void> | undefined;
}

/** What an accumulator is created from. */
export interface AccumulatorSource {
  readonly aggregator: Aggregator;
  readonly limits: UpdateLimits;
  readonly random: () => number;
}

/** Creates the accumulator of a round that has become active. */
export function startAccumulator(run: RoundRun, round: number, source: AccumulatorSource): void {
  dropAccumulator(run);
  const { open, modelVersion, settings } = run.state;
  run.accumulator = createRoundAccumulator({
    ...source,
    round,
    kernels: run.kernels,
    base: run.models.get(open?.modelVersion ?? modelVersion)!.parameters,
    serverState: run.serverState,
    // More updates may have been accepted under other settings, before a restart.
    capacity: Math.max(settings.buffered?.bufferSize ?? settings.participants, open?.accepted.size ?? 0),
  });
}

/** Frees the accumulator of a round that is over. */
export function dropAccumulator(run: RoundRun): void {
  run.accumulator?.dispose();
  run.accumulator = undefined;
}
