import type { FederationEvent, FederationState, RoundSettings } from "@sedna-js/core/federation";
import type { FederationPlan } from "@sedna-js/core/wire";

/** Checkpoint of the accumulator of a round. */
export interface SumCheckpoint {
  readonly round: number;
  readonly count: number;
  readonly totalWeight: number;
  /**
   * Name of the blob with the current mean, float32. `undefined` before the first update, or if the
   * aggregator needs the updates, which have their own blobs.
   */
  readonly mean?: string;
}

/** A model version as recorded in the log. */
export interface ModelRecord {
  readonly version: number;
  /** Name of the blob with the flat parameters, float32. */
  readonly blob: string;
  readonly sha256: string;
  /** Name of the blob with the aggregator's server state, if it has one. */
  readonly memory?: string;
}

/** Privacy cost of a round that made a model, if the aggregator is private. */
export interface AccountedRound {
  readonly round: number;
  readonly selected: number;
  readonly accepted: number;
  readonly population: number;
}

/**
 * One record of a federation's log. Reading the records in order restores the state of the federation.
 *
 * `events` are in the order in which they were reduced. With a `sum`, they include accepted updates. They are
 * written to disk together with the checkpoint that contains those updates, or not at all, so that no update
 * is accepted twice after a crash.
 */
export type FederationRecord =
  | {
      readonly type: "started";
      readonly at: number;
      readonly name: string;
      readonly length: number;
      readonly seed: number;
      readonly settings: RoundSettings;
      readonly plan?: FederationPlan;
      readonly model: ModelRecord;
    }
  /**
   * Start of a log that was replaced because it was long: what came before, as a state between two rounds.
   */
  | {
      readonly type: "snapshot";
      readonly at: number;
      readonly name: string;
      readonly length: number;
      readonly plan?: FederationPlan;
      readonly state: FederationState;
      readonly models: readonly ModelRecord[];
      readonly accounted: readonly AccountedRound[];
    }
  /** From here on, the owner runs the federation with other settings, or another plan. */
  | { readonly type: "settings"; readonly settings: RoundSettings; readonly plan?: FederationPlan }
  | { readonly type: "events"; readonly events: readonly FederationEvent[]; readonly sum?: SumCheckpoint }
  | {
      readonly type: "aggregated";
      readonly event: FederationEvent & { readonly type: "aggregated" };
      readonly model: ModelRecord;
    };

/**
 * The log of a federation's events. Adapters: a directory, memory. Both pass one conformance suite.
 *
 * Blob names have at most 100 lowercase letters, digits, "." and "-", and start with a letter.
 *
 * @throws {SednaError} `storage-full`, retryable, or `storage-failed`, from every method.
 */
export interface FederationLog {
  /** Opens the log for this process alone. Must be called first. */
  open(): Promise<void>;
  /** Reads all records, oldest first, without a write that a crash interrupted. */
  read(): Promise<readonly FederationRecord[]>;
  /**
   * Appends records in order, all or none. They are durable when the promise resolves. Only one call at a
   * time.
   */
  append(records: readonly FederationRecord[]): Promise<void>;
  /** Replaces all records. After a crash, either the old or the new records are there. */
  replace(records: readonly FederationRecord[]): Promise<void>;
  /**
   * Writes a blob, in place of an existing one. After a crash, either the old or the new bytes are there,
   * complete.
   */
  putBlob(name: string, bytes: Uint8Array): Promise<void>;
  getBlob(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Returns the names of all blobs, in no particular order. */
  blobs(): Promise<readonly string[]>;
  /** Deletes a blob. Does nothing if the blob does not exist. */
  deleteBlob(name: string): Promise<void>;
  /** Closes the log, so that another process can open it. */
  close(): Promise<void>;
}

const BLOB_NAME = /^[a-z][a-z0-9.-]{0,99}$/;

/**
 * Checks a blob name, which may become a file name.
 * @throws {RangeError} If the name is not a valid blob name.
 */
export function checkBlobName(name: string): void {
  if (!BLOB_NAME.test(name) || name.includes(".."))
    throw new RangeError(
      `name a blob: expected lower-case letters, digits, "." and "-", at most 100; got ${JSON.stringify(name)}`,
    );
}

/** How often a federation writes what it has accepted. */
export interface CheckpointOptions {
  /** Accepted updates between two checkpoints. Default 64. */
  readonly updates?: number;
  /** Time between two checkpoints, in ms. Default 2000. */
  readonly ms?: number;
  /** Events after which the log starts from a snapshot, unless `keepUpdates` is set. Default 50000. */
  readonly events?: number;
}
