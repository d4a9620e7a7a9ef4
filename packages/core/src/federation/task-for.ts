import type { FederationTask } from "../wire/federation.ts";
import { isQuarantined } from "./federation-clients.ts";
import type { FederationState } from "./federation-state.ts";
import { getClient } from "./client-map.ts";
import { shareOf } from "./seeded-random.ts";

/** Bounds of a client's polling interval before jitter, in ms. */
const POLL_MS = { least: 1_000, most: 15_000 };

/** Options of {@link taskFor}. */
interface TaskForOptions {
  readonly client: string;
  readonly now: number;
  readonly seq: number;
}

/**
 * Returns the current task of a client. Two tasks that differ only in `seq`, `remainingMs` and `retryAfterMs`
 * are equal. An unknown client waits.
 */
export function taskFor(state: FederationState, { client: name, now, seq }: TaskForOptions): FederationTask {
  const { open, settings, modelVersion } = state;
  const client = getClient(state.clients, name);
  if (state.phase === "done") return { kind: "done", seq, round: state.round, modelVersion };

  const left = (until: number): number => Math.min(settings.deadlineMs, Math.max(0, until - now));
  const next = open?.deadlineAt ?? state.waitingSince + settings.selectionMs;
  const pace = Math.min(POLL_MS.most, Math.max(POLL_MS.least, left(next)));
  // Each client has its own fixed polling interval: a thousand clients must not poll at the same moment.
  const wait: FederationTask = {
    kind: "wait",
    seq,
    round: open?.round ?? state.round,
    modelVersion,
    retryAfterMs: Math.round(pace * (0.5 + 0.5 * shareOf(name))),
  };
  if (client === undefined || isQuarantined(state, client)) return wait;

  const isCounted = open !== undefined && getClient(open.accepted, name) !== undefined;
  const assignment = getClient(state.assignments, name);
  if (assignment !== undefined)
    return {
      kind: "train",
      seq,
      round: assignment.round,
      modelVersion: assignment.modelVersion,
      remainingMs: left(assignment.until),
      accepted: false,
    };
  if (open === undefined || open.closing) return wait;
  const isSelected = client.kind === "sedna-v1" || getClient(open.selected, name) !== undefined;
  if (!isSelected) return wait;
  return {
    kind: "train",
    seq,
    round: open.round,
    modelVersion: open.modelVersion,
    remainingMs: left(open.deadlineAt),
    accepted: isCounted,
  };
}
