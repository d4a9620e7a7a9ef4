import type { Selection } from "../select.ts";
import type { ClientResources, RoundSummary, RejectionCode } from "../wire/federation.ts";
import type { ClientMap } from "./client-map.ts";

/** How rounds are run. Times in ms. */
export interface RoundSettings {
  /** Sedna's exit_round: the last round. Default 1. 0 goes on for ever; JSON has no Infinity. */
  readonly numRounds: number;
  /** Sedna's participants_count: the updates that a round wants. Default 1. */
  readonly participants: number;
  /** Clients selected for each update wanted, rounded down. Default 1.3. */
  readonly overSelect: number;
  /** Share of the updates wanted that must be counted for a round to close with a model, rounded up. Default 0.7. */
  readonly minFraction: number;
  /** A round opens when `participants * overSelect` clients are there, or after so long with `minFraction * participants`. Default 10 s. */
  readonly selectionMs: number;
  /** A round closes so long after it opened, whoever is missing. Never infinite. Default 2 minutes. */
  readonly deadlineMs: number;
  /** Who is selected, where more could be: a name in the table `clientChoice`, and its parameters. Default Random. */
  readonly selector: Selection;
  /** Whether a client that joins an open round may still take part. Default true. */
  readonly lateJoiners: boolean;
  /**
   * FedBuff: a model every `bufferSize` updates, whatever model they started from, at most `maxStaleness` versions old, from
   * `concurrency` clients at work at a time. A client is part of a buffer once; one that needs longer than `deadlineMs` loses its place.
   */
  readonly buffered?: {
    readonly bufferSize: number;
    readonly maxStaleness: number;
    readonly concurrency: number;
  };
  /** Malformed updates before a client is left out. Default 3. */
  readonly strikes: number;
  /** Rounds for which it is left out. Default 10. */
  readonly quarantineRounds: number;
}

/** A client as the reducer knows it. */
export interface FederationClient {
  readonly client: string;
  /** How many came before it: a name for people, and the order of those that came. */
  readonly id: number;
  readonly kind: "sedna-js" | "sedna-v1";
  readonly epoch: number;
  readonly numSamples: number;
  readonly resources: ClientResources;
  readonly present: boolean;
  readonly strikes: number;
  /** Last round for which it is left out. */
  readonly quarantinedUntil: number;
  /** Rounds that it was counted in. */
  readonly rounds: number;
}

/** What happens to a federation. Every event has its time; together they are its log, and replay to the same state. */
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
  /** An update was validated and is part of the round's sum. */
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
  /** A secure sum was opened: all of these are counted together, by their mean weight, and the round closes. */
  | {
      readonly type: "summed";
      readonly at: number;
      readonly round: number;
      readonly clients: readonly string[];
      readonly totalWeight: number;
      readonly bytes: number;
    }
  /** An update was malformed: a strike. Lateness is none. */
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
  /** It could not be: the cohort was too small for the rule. The round is abandoned. */
  | { readonly type: "failed"; readonly at: number; readonly round: number };

/** What the world has to do, in order. */
export type FederationEffect =
  | {
      readonly type: "open";
      readonly round: number;
      readonly modelVersion: number;
      readonly deadlineAt: number;
      readonly clients: readonly string[];
    }
  /** Close the sum of these clients and make the next model of it; then reduce `aggregated`. */
  | { readonly type: "aggregate"; readonly round: number; readonly clients: readonly string[] }
  /** Too few came: forget the sum; the model stays. */
  | { readonly type: "abandon"; readonly round: number; readonly accepted: number }
  | { readonly type: "quarantine"; readonly client: string; readonly untilRound: number }
  | { readonly type: "finish"; readonly round: number; readonly modelVersion: number };

/** The open round. */
export interface ActiveRound {
  readonly round: number;
  readonly modelVersion: number;
  readonly openedAt: number;
  readonly deadlineAt: number;
  readonly selected: ClientMap<SelectedClient>;
  /** Of the selected ones those that are counted, or there and not in quarantine. */
  readonly expected: number;
  readonly accepted: ClientMap<AcceptedUpdate>;
  readonly rejected: number;
  readonly bytes: number;
  /** True from the effect `aggregate` to the event `aggregated`: nothing more is counted. */
  readonly closing: boolean;
  /** When that effect was. */
  readonly closedAt?: number;
}

/** A client that may take part in the open round. */
export interface SelectedClient {
  readonly client: string;
}

/** What is kept of an update that is part of a round's sum. */
export interface AcceptedUpdate {
  readonly client: string;
  readonly weight: number;
  readonly digest: string;
  readonly metrics?: { readonly loss?: number; readonly accuracy?: number };
}

/** Buffered: what a client is at. It keeps its model while newer ones come. */
export interface Assignment {
  readonly client: string;
  /** The round that was open when it began; what its update is sent for. */
  readonly round: number;
  readonly modelVersion: number;
  /** When it loses its place, unix ms. */
  readonly until: number;
}

/** All that a federation knows of its rounds; plain data. */
export interface FederationState {
  readonly settings: RoundSettings;
  readonly phase: "waiting" | "open" | "done";
  /** Rounds closed with a model. */
  readonly round: number;
  /** 0 is the first model. */
  readonly modelVersion: number;
  readonly clients: ClientMap<FederationClient>;
  /** Clients that are there. */
  readonly present: number;
  /** Clients that ever came: the next one's id. */
  readonly joins: number;
  readonly open: ActiveRound | undefined;
  /** Buffered: clients at work. Models that these name must be kept. */
  readonly assignments: ClientMap<Assignment>;
  /** When the wait for clients began. */
  readonly waitingSince: number;
  /** The time for selection went by with too few: whoever makes them enough opens the round, and no tick does. */
  readonly overdue: boolean;
  readonly history: readonly RoundSummary[];
  /** What choices are drawn from; moves on with each, so that a replay draws the same. */
  readonly seed: number;
}
