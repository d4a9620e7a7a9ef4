// Shared by the tests of rounds: event builders that take only the fields of interest, and a federation under
// test.
import type { FederationTask, RejectionCode } from "../wire/federation.ts";
import type {
  FederationClient,
  FederationEffect,
  FederationEvent,
  FederationState,
  RoundSettings,
} from "./federation-state.ts";
import { checkUpload } from "./check-upload.ts";
import { reduceFederation } from "./reduce-federation.ts";
import { allClients, getClient, clientMap, type ClientMap } from "./client-map.ts";
import { roundSettings } from "./round-settings.ts";
import { initialFederation } from "./initial-federation.ts";
import { taskFor } from "./task-for.ts";

type Event<Type extends FederationEvent["type"]> = Extract<FederationEvent, { type: Type }>;

/** A client joins, by default at time 0 and with ten samples. */
export const joined = (client: string, at = 0, more: Partial<Event<"joined">> = {}): FederationEvent => ({
  type: "joined",
  at,
  client,
  kind: "sedna-js",
  epoch: 1,
  numSamples: 10,
  resources: {},
  ...more,
});
/** The session of a client ends. */
export const left = (client: string, at: number, epoch = 1): FederationEvent => ({
  type: "left",
  at,
  client,
  epoch,
});
/** The update of a client is accepted. */
export const accepted = (
  client: string,
  at: number,
  more: Partial<Event<"accepted">> = {},
): FederationEvent => ({
  type: "accepted",
  at,
  client,
  round: 1,
  modelVersion: 0,
  weight: 10,
  bytes: 100,
  digest: client,
  ...more,
});
/** The update of a client is rejected. */
export const rejected = (
  client: string,
  at: number,
  code: RejectionCode = "not-finite",
): FederationEvent => ({
  type: "rejected",
  at,
  client,
  round: 1,
  code,
});
/** Time passes. */
export const ticked = (at: number): FederationEvent => ({ type: "ticked", at });
/** The model of a round is ready. */
export const aggregated = (round: number, at: number): FederationEvent => ({
  type: "aggregated",
  at,
  round,
  modelVersion: round,
});
/** Returns the names c0, c1, ... */
export const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `c${i}`);

/** See {@link federation}. */
export interface FederationUnderTest {
  readonly state: FederationState;
  /** Effects of the events of the last `after` call. */
  readonly effects: readonly FederationEffect[];
  readonly types: readonly string[];
  after(...events: readonly FederationEvent[]): void;
  /**
   * Names of the clients that the active round selected, followed by the names of those whose update it
   * accepted.
   */
  readonly selected: readonly string[];
  readonly accepted: readonly string[];
  client(name: string): FederationClient;
  rejection(client: string, round?: number, epoch?: number): RejectionCode | undefined;
  task(client: string, now?: number): FederationTask;
}

/** Creates a federation that waits 1 s for its clients and 10 s for their updates. */
export function federation(settings: Partial<RoundSettings>): FederationUnderTest {
  let state = initialFederation(
    roundSettings({ selectionMs: 1000, deadlineMs: 10_000, numRounds: 100, ...settings }),
    { seed: 7, at: 0 },
  );
  let effects: readonly FederationEffect[] = [];
  return {
    get state() {
      return state;
    },
    get effects() {
      return effects;
    },
    get types() {
      return effects.map(({ type }) => type);
    },
    get selected() {
      return namesOf(state.open?.selected);
    },
    get accepted() {
      return namesOf(state.open?.accepted);
    },
    client: (name) => getClient(state.clients, name)!,
    after(...events) {
      effects = [];
      for (const event of events) {
        const reduced = reduceFederation(state, event);
        state = reduced.state;
        effects = [...effects, ...reduced.effects];
      }
    },
    rejection: (client, round = 1, epoch = 1) => checkUpload(state, { client, epoch, round }),
    task: (client, now = 0) => taskFor(state, { client, now, seq: 1 }),
  };
}

/** Returns the names in a client map, sorted. */
export function namesOf(roster: ClientMap<{ readonly client: string }> = clientMap()): string[] {
  return allClients(roster)
    .map(({ client }) => client)
    .toSorted();
}
