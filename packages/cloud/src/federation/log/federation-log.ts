import type { FederationEvent, FederationState, RoundSettings } from "@sedna-js/core/federation";
import type { FederationPlan } from "@sedna-js/core/wire";

/** Where a sum was when it was last written. */
export interface SumCheckpoint {
  readonly round: number;
  readonly count: number;
  readonly totalWeight: number;
  /**
   * Name of the blob with the mean so far, float32; undefined for a rule whose updates are blobs of their
   * own, or before the first.
   */
  readonly mean?: string;
}

/** A model that a federation has made, as the log tells of it. */
export interface ModelRecord {
  readonly version: number;
  /** Name of the blob with the flat parameters, float32. */
  readonly blob: string;
  readonly sha256: string;
  /** Name of the blob with the aggregator's own memory, where it has one. */
  readonly memory?: string;
}

/** What a round that made a model cost, where the aggregator is private. */
export interface AccountedRound {
  readonly round: number;
  readonly selected: number;
  readonly accepted: number;
  readonly population: number;
}

/**
 * One entry of a federation's log. Read in their order, they give the state that the federation was in.
 *
 * `events` are in the order in which they were reduced. With a `sum` they hold updates that were counted, and
 * are on the disk together with the sum that those are part of, or not at all: so that after a death nobody
 * is counted twice.
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
  /** Where a log begins that became too long: all that was before, as it was between two rounds. */
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
  /** The owner runs it by other settings, or another plan, from here on. */
  | { readonly type: "settings"; readonly settings: RoundSettings; readonly plan?: FederationPlan }
  | { readonly type: "events"; readonly events: readonly FederationEvent[]; readonly sum?: SumCheckpoint }
  | {
      readonly type: "aggregated";
      readonly event: FederationEvent & { readonly type: "aggregated" };
      readonly model: ModelRecord;
    };

/**
 * Where a federation writes down what happened. Adapters: a directory, memory. One conformance suite runs on
 * both.
 *
 * Names of blobs are of lower-case letters, digits, "." and "-", at most 100, and begin with a letter.
 *
 * @throws {SednaError} `storage-full`, retryable, or `storage-failed`, from every call.
 */
export interface FederationLog {
  /** Takes it for this process alone. Comes first. */
  open(): Promise<void>;
  /** All records, the oldest first. What was being written when the process died is not among them. */
  read(): Promise<readonly FederationRecord[]>;
  /** Adds records, in order, all or none; they are durable when it resolves. One call at a time. */
  append(records: readonly FederationRecord[]): Promise<void>;
  /** Puts records in place of all that are there; the old ones or the new ones survive a death. */
  replace(records: readonly FederationRecord[]): Promise<void>;
  /**
   * Keeps bytes under a name, in place of what was there; the old ones or the new ones survive a death,
   * whole.
   */
  putBlob(name: string, bytes: Uint8Array): Promise<void>;
  getBlob(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Names of all blobs, in no order. */
  blobs(): Promise<readonly string[]>;
  /** Without the blob, nothing happens. */
  deleteBlob(name: string): Promise<void>;
  /** Gives it back. */
  close(): Promise<void>;
}

const BLOB_NAME = /^[a-z][a-z0-9.-]{0,99}$/;

/** Throws a RangeError on a name that is none of a blob: it may become a file's. */
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
