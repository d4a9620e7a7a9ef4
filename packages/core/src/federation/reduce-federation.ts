import type { RejectionCode } from "../wire/federation.ts";
import { advance, type Reduced } from "./advance-federation.ts";
import { checkUpload } from "./check-upload.ts";
import { allClients, getClient, clientMap, withClientEntry, withoutClientEntry } from "./client-map.ts";
import type { ClientSelectionTable } from "./client-selection.ts";
import { afterAbandon, afterModel } from "./close-round.ts";
import { isEligible, isQuarantined, withClient, withoutForgotten } from "./federation-clients.ts";
import type {
  FederationClient,
  FederationEffect,
  FederationEvent,
  FederationState,
} from "./federation-state.ts";
import { roundTargets } from "./round-settings.ts";

type Event<Type extends FederationEvent["type"]> = Extract<FederationEvent, { type: Type }>;

/** What an update is refused for without having done wrong. Everything else is a strike. */
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
 * The state after an event, and what the world has to do about it. Pure: folding a log's events from `startFederation` gives
 * the same state again. Takes events in any order and throws on none: those that come late, twice or out of place change nothing.
 *
 *   waiting --open--> open --aggregate--> open, closing --aggregated--> waiting | done
 *                     open --abandon----> waiting       --failed------> waiting
 *
 * Every event is a tick too. A clock that was put back never lengthens a round to more than its whole time from then.
 *
 * @param table where the settings' choice of clients is looked up; the same for every event of a log.
 */
export function reduceFederation(
  given: FederationState,
  event: FederationEvent,
  table?: ClientSelectionTable,
): Reduced {
  const state = inTime(given, event.at);
  const { state: next, effects } = apply(state, event);
  const advanced =
    next.phase === "done" ? { state: next, effects: [] } : advance(next, { at: event.at, table });
  return { state: advanced.state, effects: [...effects, ...advanced.effects] };
}

function apply(state: FederationState, event: FederationEvent): Reduced {
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
      // A log of a newer version.
      return { state, effects: [] };
  }
}

/** Times that lie further ahead than they could, because the clock was put back, are counted from now. */
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

/** Whoever it was before: strikes, quarantine, rounds and what was counted stay. An older epoch is a session that was fenced. */
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
  return admitted(withoutForgotten(there), client);
}

/** Selects a client that came late, where those that are still in leave a place. Sedna's clients need none. */
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

/** After its last strike a client is left out; when it comes back each further one leaves it out again. */
function rejected(state: FederationState, { client: name, code }: Event<"rejected">): Reduced {
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

function aggregated(state: FederationState, { round, modelVersion, at }: Event<"aggregated">): Reduced {
  const { open } = state;
  if (open === undefined || !open.closing || open.round !== round) return { state, effects: [] };
  const next = afterModel(state, { open, modelVersion, at });
  const effects: FederationEffect[] =
    next.phase === "done" ? [{ type: "finish", round, modelVersion: next.modelVersion }] : [];
  return { state: next, effects };
}

function failed(state: FederationState, { round, at }: Event<"failed">): Reduced {
  const { open } = state;
  if (open === undefined || open.round !== round) return { state, effects: [] };
  return {
    state: afterAbandon(state, { open, at }),
    effects: [{ type: "abandon", round, accepted: open.accepted.size }],
  };
}

/**
 * The state after a secure sum was opened. Nobody knows a client's own weight: each counts by the mean. The round closes
 * whoever is missing, as nothing can be added to the sum any more; one of too few changes nothing.
 */
function summed(
  state: FederationState,
  { round, clients, totalWeight, bytes, at }: Extract<FederationEvent, { type: "summed" }>,
): Reduced {
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
