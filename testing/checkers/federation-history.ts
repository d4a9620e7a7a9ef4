// Invariants of a federation under any failure, checked on its log, on its clients' receipts, and on its
// models. Source: reliability's invariants 2, 3 and 4, and C20 to C22.
import { isDeepStrictEqual } from "node:util";
import {
  allClients,
  getClient,
  reduceFederation,
  initialFederation,
  type ClientSelectionTable,
  type FederationEvent,
  type FederationState,
  type RoundSettings,
} from "@sedna-js/core/federation";

/** Record of a federation's run. */
export interface FederationHistory {
  readonly settings: RoundSettings;
  /** As `initialFederation` was given them. */
  readonly seed: number;
  readonly at: number;
  /** The log, in order. */
  readonly events: readonly FederationEvent[];
  /**
   * Whether events may have no effect. An aggregator logs only what it accepted; with noise, events without
   * effect are skipped.
   */
  readonly isNoise?: boolean;
  readonly choices?: ClientSelectionTable;
  /** The aggregator's own current state. If it is `undefined`, it is not compared. */
  readonly state?: FederationState;
  /** Receipts that clients received for their updates, in any order. */
  readonly receipts?: readonly {
    readonly client: string;
    readonly round: number;
    readonly accepted: boolean;
    readonly duplicate?: boolean;
  }[];
  /** The models, in order. `recomputed`: the same model, computed from the log alone. */
  readonly models?: readonly {
    readonly version: number;
    readonly totalWeight?: number;
    readonly parameters?: Float32Array;
    readonly recomputed?: Float32Array;
  }[];
}

/** Maximum number of walks through all clients and all bytes of the state. */
const MAX_WALKS = 200;

/** Maximum difference between a model's parameter and its recomputation. */
const TOLERANCE = 1e-6;

/** Returns the violations, one sentence each; an empty list for a valid history. */
export function federationViolations(history: FederationHistory): string[] {
  const found: string[] = [];
  const { settings, events, choices } = history;
  let state = initialFederation(settings, history);
  /** Updates accepted since the round opened, tracked without the reducer. */
  let accepted = new Map<string, number>();
  let closing: number | undefined;
  const made: { version: number; weight: number }[] = [];
  const taken = new Map<string, number>();
  const stride = Math.ceil(events.length / MAX_WALKS);

  for (const [i, event] of events.entries()) {
    const before = state;
    const { state: after, effects } = reduceFederation(state, event, choices);
    state = after;
    const say = (what: string): void => void found.push(`event ${i}, ${event.type}: ${what}`);
    if (event.type === "accepted") {
      const isIn =
        after.open !== undefined &&
        getClient(after.open.accepted, event.client) !== undefined &&
        (before.open === undefined || getClient(before.open.accepted, event.client) === undefined);
      if (isIn) {
        if (accepted.has(event.client)) say(`${event.client} is accepted twice in round ${after.open.round}`);
        accepted.set(event.client, event.weight);
        const key = `${event.client} in round ${event.round}`;
        taken.set(key, (taken.get(key) ?? 0) + 1);
      } else if (history.isNoise !== true)
        say(`the log accepts ${event.client} in round ${event.round}; the replayed round does not`);
    }
    if (after.round < before.round || after.modelVersion < before.modelVersion)
      say(
        `3: round and model went from ${before.round} and ${before.modelVersion} back to ${after.round} and ${after.modelVersion}`,
      );
    if (after.round > before.round) {
      const weight = sum([...accepted.values()]);
      const summary = after.history.at(-1)!;
      if (after.round !== before.round + 1) say(`3: round ${before.round} is followed by ${after.round}`);
      if (closing !== after.round) say(`3: no effect requested a model of round ${after.round}`);
      if (after.modelVersion <= before.modelVersion)
        say(`3: round ${after.round} made no newer model than ${before.modelVersion}`);
      if (summary.totalSamples !== weight)
        say(`2: round ${after.round} weighs ${summary.totalSamples}, its accepted updates ${weight}`);
      made.push({ version: after.modelVersion, weight });
    }
    for (const effect of effects) {
      closing =
        effect.type === "aggregate" ? effect.round : effect.type === "quarantine" ? closing : undefined;
      if (effect.type === "open") accepted = new Map();
      if (
        effect.type === "aggregate" &&
        !isDeepStrictEqual(effect.clients.toSorted(), [...accepted.keys()].toSorted())
      ) {
        say(
          `2: round ${effect.round} aggregates ${effect.clients.join(", ")}; ${[...accepted.keys()].join(", ")} were accepted`,
        );
      }
    }
    const { open } = after;
    if (open !== undefined && !open.closing) {
      if (event.at >= open.deadlineAt) say(`C21: round ${open.round} is active past its deadline`);
      if (open.deadlineAt - event.at > settings.deadlineMs)
        say(`C21: round ${open.round} may exceed its maximum duration`);
    }
    // This walks through all clients. In a long log, skip it for most events.
    if (i % stride !== 0) continue;
    if (open !== undefined) {
      const expected = allClients(open.selected).filter(
        ({ client }) => getClient(open.accepted, client) !== undefined || isEligible(after, client),
      ).length;
      if (open.expected !== expected)
        say(`round ${open.round} expects ${open.expected} clients; ${expected} are accepted or eligible`);
    }
    const present = allClients(after.clients).filter((client) => client.present).length;
    if (after.present !== present)
      say(`the state reports ${after.present} present clients; ${present} are present`);
    if (after.history.some(({ durationMs }) => durationMs < 0)) say("a round has a negative duration");
  }

  if (!isDeepStrictEqual(replayed(history), plain(state)))
    found.push("C20: the log, parsed again from its bytes, gives another state");
  if (history.state !== undefined && !isDeepStrictEqual(plain(history.state), plain(state)))
    found.push("C20: the aggregator is in another state than its log gives");
  return [...found, ...receiptViolations(history, taken), ...modelViolations(history, made)];
}

function isEligible({ clients, round }: FederationState, name: string): boolean {
  const client = getClient(clients, name);
  return (
    client !== undefined &&
    client.present &&
    client.quarantinedUntil <= round &&
    (client.kind === "sedna-v1" || client.numSamples > 0)
  );
}

function receiptViolations(
  { receipts = [] }: FederationHistory,
  taken: ReadonlyMap<string, number>,
): string[] {
  const found: string[] = [];
  const told = new Map<string, number>();
  for (const { client, round, accepted, duplicate = false } of receipts) {
    const key = `${client} in round ${round}`;
    if (!accepted) continue;
    if (!taken.has(key)) found.push(`C20: ${key} was reported as accepted, and the log has no such update`);
    if (!duplicate) told.set(key, (told.get(key) ?? 0) + 1);
  }
  // An abandoned round is retried under its number, so a client may be accepted in it once per attempt.
  for (const [key, times] of told)
    if (times > (taken.get(key) ?? 0))
      found.push(
        `C20: ${key} was reported ${times} times as newly accepted, and was accepted ${taken.get(key) ?? 0} times`,
      );
  return found;
}

function modelViolations(
  { models = [] }: FederationHistory,
  made: readonly { readonly version: number; readonly weight: number }[],
): string[] {
  const found: string[] = [];
  for (const [i, { version, totalWeight, parameters, recomputed }] of models.entries()) {
    if (i > 0 && version <= models[i - 1]!.version)
      found.push(`3: model ${models[i - 1]!.version} is followed by ${version}`);
    const round = made.find((one) => one.version === version);
    if (round === undefined && version !== 0) found.push(`3: no round of the log made model ${version}`);
    if (round !== undefined && totalWeight !== undefined && totalWeight !== round.weight)
      found.push(`2: model ${version} has weight ${totalWeight}, its accepted updates ${round.weight}`);
    if (parameters === undefined || recomputed === undefined) continue;
    const far =
      parameters.length === recomputed.length
        ? parameters.findIndex((value, j) => !(Math.abs(value - recomputed[j]!) <= TOLERANCE))
        : 0;
    if (far >= 0)
      found.push(`4: model ${version} has ${parameters[far]} at ${far}; the log gives ${recomputed[far]}`);
  }
  return found;
}

/**
 * Returns the state that results from the serialized log; the state itself is also serialized and parsed on
 * the way.
 */
function replayed({ settings, seed, at, events, choices }: FederationHistory): unknown {
  const log = JSON.parse(JSON.stringify(events)) as FederationEvent[];
  const stride = Math.ceil(log.length / MAX_WALKS);
  const step = (state: FederationState, event: FederationEvent): FederationState =>
    reduceFederation(state, event, choices).state;
  return plain(
    log.reduce(
      (state, event, i) => (i % stride === 0 ? plain(step(state, event)) : step(state, event)),
      plain(initialFederation(settings, { seed, at })),
    ),
  );
}

function plain(state: FederationState): FederationState {
  return JSON.parse(JSON.stringify(state)) as FederationState;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
