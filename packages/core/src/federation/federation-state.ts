import type { Selection } from "../select.ts";
import type { ClientResources, RoundSummary, RejectionCode } from "../wire/federation.ts";
import type { ClientMap } from "./client-map.ts";

/** Settings of the rounds. Times are in ms. */
export interface RoundSettings {
  /**
   * Number of the last round (Sedna's `exit_round`); 0 means no limit, because JSON has no Infinity. Default
   * 1.
   */
  readonly numRounds: number;
  /** Number of updates that a round aims for (Sedna's `participants_count`). Default 1. */
  readonly participants: number;
  /** Number of clients selected per requested update; the product is rounded down. Default 1.3. */
  readonly overSelect: number;
  /**
   * Share of the requested updates that a round needs to produce a model; the product is rounded up. Default
   * 0.7.
   */
  readonly minFraction: number;
  /**
   * Time after which a round starts with `minFraction * participants` clients present; it starts earlier with
   * `participants * overSelect` clients. Default 10 s.
   */
  readonly selectionMs: number;
  /**
   * Time after its start at which a round closes, even if clients are missing. Must be finite. Default 2
   * minutes.
   */
  readonly deadlineMs: number;
  /**
   * How to select clients: the name of a selector in the table `clientSelection`, and its parameters. Default
   * `Random`.
   */
  readonly selector: Selection;
  /** Whether a client that joins during an active round may take part in it. Default true. */
  readonly lateJoiners: boolean;
  /**
   * FedBuff: makes a model from every `bufferSize` updates, each trained on a model at most `maxStaleness`
   * versions old, with `concurrency` clients at work at a time. A buffer accepts one update per client. A
   * client that needs longer than `deadlineMs` loses its slot.
   */
  readonly buffered?: {
    readonly bufferSize: number;
    readonly maxStaleness: number;
    readonly concurrency: number;
  };
  /** Number of malformed updates after which a client is quarantined. Default 3. */
  readonly strikes: number;
  /** Duration of a quarantine, in rounds. Default 10. */
  readonly quarantineRounds: number;
}

/** A client in the state of a federation. */
export interface FederationClient {
  readonly client: string;
  /** Number of clients that joined before this one: a name for people, and the join order. */
  readonly id: number;
  readonly kind: "sedna-js" | "sedna-v1";
  readonly epoch: number;
  readonly numSamples: number;
  readonly resources: ClientResources;
  readonly present: boolean;
  readonly strikes: number;
  /** Last round that the client is excluded from. */
  readonly quarantinedUntil: number;
  /** Number of aggregated rounds that contain an update of the client. */
  readonly rounds: number;
}

/**
 * An event of a federation. Every event has its time. The events form the federation's log, and a replay
 * gives the same state.
 */
export type FederationEvent =
  | {
      readonly type: "joined";
      readonly at: number;
      readonly client: string;
      readonly kind: "sedna-js" | "sedna-v1";
      readonly epoch: number;
      readonly numSamples: number;
      readonly resources: ClientResources;
    }
  | { readonly type: "left"; readonly at: number; readonly client: string; readonly epoch: number }
  /** An update was validated and is part of the round's aggregate. */
  | {
      readonly type: "accepted";
      readonly at: number;
      readonly client: string;
      readonly round: number;
      readonly modelVersion: number;
      readonly weight: number;
      readonly bytes: number;
      readonly digest: string;
      readonly metrics?: { readonly loss?: number; readonly accuracy?: number };
    }
  /**
   * A secure aggregation was unmasked: all of these clients are accepted together, with their mean weight,
   * and the round closes.
   */
  | {
      readonly type: "summed";
      readonly at: number;
      readonly round: number;
      readonly clients: readonly string[];
      readonly totalWeight: number;
      readonly bytes: number;
    }
  /** An update was rejected. A malformed update is a strike; a late one is not. */
  | {
      readonly type: "rejected";
      readonly at: number;
      readonly client: string;
      readonly round: number;
      readonly code: RejectionCode;
    }
  | { readonly type: "ticked"; readonly at: number }
  /** The effect `aggregate` was carried out. */
  | {
      readonly type: "aggregated";
      readonly at: number;
      readonly round: number;
      readonly modelVersion: number;
    }
  /**
   * The round cannot make a model: for example, the cohort is too small for the rule, a secure aggregation
   * failed, or a restart could not restore the round. The round is abandoned.
   */
  | { readonly type: "failed"; readonly at: number; readonly round: number };

/** An effect that the caller must carry out, in order. */
export type FederationEffect =
  | {
      readonly type: "open";
      readonly round: number;
      readonly modelVersion: number;
      readonly deadlineAt: number;
      readonly clients: readonly string[];
    }
  /** Close the accumulator of these clients and make the next model from it; then reduce `aggregated`. */
  | { readonly type: "aggregate"; readonly round: number; readonly clients: readonly string[] }
  /** Too few updates were accepted: discard the accumulator; the model stays. */
  | { readonly type: "abandon"; readonly round: number; readonly accepted: number }
  | { readonly type: "quarantine"; readonly client: string; readonly untilRound: number }
  | { readonly type: "finish"; readonly round: number; readonly modelVersion: number };

/** The active round. */
export interface ActiveRound {
  readonly round: number;
  readonly modelVersion: number;
  readonly openedAt: number;
  readonly deadlineAt: number;
  readonly selected: ClientMap<SelectedClient>;
  /** Number of selected clients that are accepted, or present and not in quarantine. */
  readonly expected: number;
  readonly accepted: ClientMap<AcceptedUpdate>;
  readonly rejected: number;
  readonly bytes: number;
  /** True from the effect `aggregate` to the event `aggregated`: no more updates are accepted. */
  readonly closing: boolean;
  /** Time of the effect `aggregate`, in unix ms. */
  readonly closedAt?: number;
}

/** A client that may take part in the active round. */
export interface SelectedClient {
  readonly client: string;
}

/** Data kept of an update that is part of the round's aggregate. */
export interface AcceptedUpdate {
  readonly client: string;
  readonly weight: number;
  readonly digest: string;
  readonly metrics?: { readonly loss?: number; readonly accuracy?: number };
}

/** Buffered mode: the work of a client. The client keeps its model when newer models appear. */
export interface Assignment {
  readonly client: string;
  /** Round that was active when the work began. The update is sent for this round. */
  readonly round: number;
  readonly modelVersion: number;
  /** Time at which the client loses its slot, in unix ms. */
  readonly until: number;
}

/** State of a federation's rounds, as plain data. */
export interface FederationState {
  readonly settings: RoundSettings;
  readonly phase: "waiting" | "open" | "done";
  /** Number of rounds that closed with a model. */
  readonly round: number;
  /** Version of the current model; 0 is the initial model. */
  readonly modelVersion: number;
  readonly clients: ClientMap<FederationClient>;
  /** Number of clients present. */
  readonly present: number;
  /** Number of clients that ever joined; the ID of the next client. */
  readonly joins: number;
  readonly open: ActiveRound | undefined;
  /** Buffered mode: clients at work. The models of these assignments must be kept. */
  readonly assignments: ClientMap<Assignment>;
  /** Start of the wait for clients, in unix ms. */
  readonly waitingSince: number;
  /**
   * Whether the selection time has passed with too few clients. The round then starts as soon as enough
   * clients join, without a tick.
   */
  readonly overdue: boolean;
  readonly history: readonly RoundSummary[];
  /**
   * Seed of the next selection. It advances with each selection, so that a replay selects the same clients.
   */
  readonly seed: number;
}
