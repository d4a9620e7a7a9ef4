import type { RejectionCode } from "../wire/federation.ts";
import { advance, type ReducerResult } from "./advance-federation.ts";
import { checkUpload } from "./check-upload.ts";
import { allClients, getClient, clientMap, withClientEntry, withoutClientEntry } from "./client-map.ts";
import type { ClientSelectionTable } from "./client-selection.ts";
import { afterAbandon, afterAggregation } from "./close-round.ts";
import { isEligible, isQuarantined, withClient, pruneClients } from "./federation-clients.ts";
import type {
  FederationClient,
  FederationEffect,
  FederationEvent,
  FederationState,
} from "./federation-state.ts";
import { roundTargets } from "./round-settings.ts";

type Event<Type extends FederationEvent["type"]> = Extract<FederationEvent, { type: Type }>;

/** Rejection codes without a fault of the client. Every other code is a strike. */
const harmless: readonly RejectionCode[] = [
  "unauthorized",
  "session-replaced",
  "quarantined",
  "not-selected",
  "wrong-round",
  "round-closed",
  "duplicate",
];

/**
 * Returns the state after an event, and the effects that the caller must carry out. Pure: folding the events
 * of a log from `initialFederation` gives the same state. Accepts events in any order and never throws: late,
 * repeated or unexpected events change nothing.
 *
 *   waiting --open--> active --aggregate--> active, closing --aggregated--> waiting | done
 *                     active --abandon----> waiting         --failed------> waiting
 *
 * Every event is also a tick. A clock that is set back extends a round to at most its full duration from
 * then.
 *
 * @param table Table of the settings' selector; must be the same for every event of a log.
 */
export function reduceFederation(
  given: FederationState,
  event: FederationEvent,
  table?: ClientSelectionTable,
): ReducerResult {
  const state = inTime(given, event.at);
  const { state: next, effects } = apply(state, event);
  const advanced =
    next.phase === "done" ? { state: next, effects: [] } : advance(next, { at: event.at, table });
  return { state: advanced.state, effects: [...effects, ...advanced.effects] };
}

function apply(state: FederationState, event: FederationEvent): ReducerResult {
  switch (event.type) {
    case "joined":
      return { state: joined(state, event), effects: [] };
    case "left":
      return { state: left(state, event), effects: [] };
    case "accepted":
      return { state: accepted(state, event), effects: [] };
    case "summed":
      return summed(state, event);
    case "rejected":
      return rejected(state, event);
    case "aggregated":
      return aggregated(state, event);
    case "failed":
      return failed(state, event);
    case "ticked":
      return { state, effects: [] };
    default:
      event satisfies never;
      // The log is of a newer version: ignore the event.
      return { state, effects: [] };
  }
}

/**
 * Limits times that lie too far in the future, because the clock was set back, to a full duration from now.
 */
function inTime(state: FederationState, at: number): FederationState {
  const {
    open,
    settings: { deadlineMs },
  } = state;
  const latest = at + deadlineMs;
  const waitingSince = Math.min(state.waitingSince, at);
  const isAhead = open !== undefined && open.deadlineAt > latest;
  const early = allClients(state.assignments).filter(({ until }) => until > latest);
  const assignments = early.reduce(
    (all, assignment) => withClientEntry(all, { ...assignment, until: latest }),
    state.assignments,
  );
  if (!isAhead && waitingSince === state.waitingSince && assignments === state.assignments) return state;
  return {
    ...state,
    waitingSince,
    assignments,
    open: isAhead ? { ...open, openedAt: at, deadlineAt: latest } : open,
  };
}

/**
 * Adds a client or updates a known one; strikes, quarantine, rounds and accepted updates stay. Ignores an
 * older epoch: its session was replaced.
 */
function joined(
  state: FederationState,
  { client: name, kind, epoch, numSamples, resources }: Event<"joined">,
): FederationState {
  const known = getClient(state.clients, name);
  if (known !== undefined && known.epoch > epoch) return state;
  const { id = state.joins, strikes = 0, quarantinedUntil = 0, rounds = 0 } = known ?? {};
  const client = {
    client: name,
    id,
    kind,
    epoch,
    numSamples,
    resources,
    present: true,
    strikes,
    quarantinedUntil,
    rounds,
  };
  const there = withClient({ ...state, joins: Math.max(state.joins, id + 1) }, client);
  return admitted(pruneClients(there), client);
}

/**
 * Selects a client that joined late, if the selected clients leave a slot free. Sedna's clients need no slot.
 */
function admitted(state: FederationState, client: FederationClient): FederationState {
  const { open, settings } = state;
  if (
    open === undefined ||
    open.closing ||
    settings.buffered !== undefined ||
    getClient(open.selected, client.client) !== undefined ||
    !isEligible(state, client)
  )
    return state;
  if (
    client.kind === "sedna-js" &&
    (!settings.lateJoiners || open.expected >= roundTargets(settings).selection)
  )
    return state;
  return {
    ...state,
    open: {
      ...open,
      selected: withClientEntry(open.selected, { client: client.client }),
      expected: open.expected + 1,
    },
  };
}

function left(state: FederationState, { client: name, epoch }: Event<"left">): FederationState {
  const client = getClient(state.clients, name);
  return client === undefined || client.epoch !== epoch || !client.present
    ? state
    : withClient(state, { ...client, present: false });
}

function accepted(
  state: FederationState,
  { client: name, round, modelVersion, weight, bytes, digest, metrics }: Event<"accepted">,
): FederationState {
  const { open } = state;
  const client = getClient(state.clients, name);
  if (open === undefined || client === undefined || !(weight > 0 && weight < Infinity)) return state;
  if (checkUpload(state, { client: name, epoch: client.epoch, round, modelVersion }) !== undefined)
    return state;
  const update = { client: name, weight, digest, ...(metrics === undefined ? {} : { metrics }) };
  const isSelected = getClient(open.selected, name) !== undefined;
  const selected = isSelected ? open.selected : withClientEntry(open.selected, { client: name });
  const expected = open.expected + Number(!isSelected || !isEligible(state, client));
  return {
    ...state,
    assignments: withoutClientEntry(state.assignments, name),
    open: {
      ...open,
      selected,
      expected,
      accepted: withClientEntry(open.accepted, update),
      bytes: open.bytes + bytes,
    },
  };
}

/**
 * Records a rejection. A client is quarantined at its last strike; after the quarantine, each further strike
 * quarantines it again.
 */
function rejected(state: FederationState, { client: name, code }: Event<"rejected">): ReducerResult {
  const {
    open,
    settings: { strikes: most, quarantineRounds },
  } = state;
  const seen =
    open === undefined || open.closing ? state : { ...state, open: { ...open, rejected: open.rejected + 1 } };
  const client = getClient(state.clients, name);
  if (client === undefined || harmless.includes(code)) return { state: seen, effects: [] };
  const strikes = client.strikes + 1;
  if (strikes < most || isQuarantined(state, client))
    return { state: withClient(seen, { ...client, strikes }), effects: [] };
  const untilRound = state.round + quarantineRounds;
  const kept = withClient(seen, { ...client, strikes, quarantinedUntil: untilRound });
  return { state: kept, effects: [{ type: "quarantine", client: name, untilRound }] };
}

function aggregated(state: FederationState, { round, modelVersion, at }: Event<"aggregated">): ReducerResult {
  const { open } = state;
  if (open === undefined || !open.closing || open.round !== round) return { state, effects: [] };
  const next = afterAggregation(state, { open, modelVersion, at });
  const effects: FederationEffect[] =
    next.phase === "done" ? [{ type: "finish", round, modelVersion: next.modelVersion }] : [];
  return { state: next, effects };
}

function failed(state: FederationState, { round, at }: Event<"failed">): ReducerResult {
  const { open } = state;
  if (open === undefined || open.round !== round) return { state, effects: [] };
  return {
    state: afterAbandon(state, { open, at }),
    effects: [{ type: "abandon", round, accepted: open.accepted.size }],
  };
}

/**
 * Returns the state after a secure aggregation is unmasked. The weight of a single client is unknown: each
 * client is recorded with the mean weight. The round closes even if clients are missing, because nothing can
 * be added to the aggregate any more. An aggregate of too few clients changes nothing.
 */
function summed(
  state: FederationState,
  { round, clients, totalWeight, bytes, at }: Extract<FederationEvent, { type: "summed" }>,
): ReducerResult {
  const { open, settings } = state;
  if (open === undefined || open.closing || open.round !== round || settings.buffered !== undefined)
    return { state, effects: [] };
  const there = clients.filter((client) => getClient(open.selected, client) !== undefined);
  if (
    there.length < clients.length ||
    there.length < roundTargets(settings).minimum ||
    !(totalWeight > 0 && totalWeight < Infinity)
  )
    return { state, effects: [] };
  const accepted = clientMap(
    there.map((client) => ({ client, weight: totalWeight / there.length, digest: "" })),
  );
  const closing = { ...open, accepted, bytes: open.bytes + bytes, closing: true, closedAt: at };
  return { state: { ...state, open: closing }, effects: [{ type: "aggregate", round, clients: there }] };
}
