import { SednaError } from "../errors.ts";
import type { SecurePhase } from "../wire/federation.ts";
import { neighborsOf } from "./neighborhood.ts";
import { transcriptOf } from "./secure-keys.ts";
import { type SecureRoundSetup, type SecureRoundState, thresholdOf } from "./secure-round-state.ts";
import { unmaskSum } from "./unmask-sum.ts";

/**
 * Closes the current phase: opens the next one, or ends the round. If too few clients are left, the round is
 * abandoned.
 */
export async function closeSecurePhase(
  state: SecureRoundState,
  setup: SecureRoundSetup,
  now: number,
): Promise<void> {
  switch (state.phase) {
    case "keys":
      return closeKeys(state, setup, now);
    case "shares":
      return closeShares(state, setup, now);
    case "masked":
      return closeMasked(state, setup, now);
    case "unmask":
      return closeUnmask(state, setup);
    case "done":
    case "abandoned":
      return;
    default:
      state.phase satisfies never;
  }
}

function abandon(state: SecureRoundState, reason: string): void {
  state.error = new SednaError(`aggregate securely in phase ${state.phase}: ${reason}`, {
    code: "cohort-too-small",
    retryable: true,
  });
  state.phase = "abandoned";
}

function open(
  state: SecureRoundState,
  { deadlines }: SecureRoundSetup,
  phase: SecurePhase,
  now: number,
): void {
  state.phase = phase;
  state.deadlineAt = now + deadlines[phase];
}

async function closeKeys(state: SecureRoundState, setup: SecureRoundSetup, now: number): Promise<void> {
  const { federation, round, settings } = setup;
  if (state.keys.size < settings.minClients)
    return abandon(
      state,
      `expected the keys of at least ${settings.minClients} clients; got ${state.keys.size}`,
    );
  const sorted = [...state.keys].toSorted(([, a], [, b]) => (a.maskKey < b.maskKey ? -1 : 1));
  state.transcript = await transcriptOf({
    federation,
    round,
    settings,
    clients: sorted.map(([, one]) => one),
  });
  const neighbors = await neighborsOf({ clients: sorted.length, seed: state.transcript });
  state.participants = sorted.map(([client, one], i) => ({ client, keys: one, neighbors: neighbors[i]! }));
  open(state, setup, "shares", now);
}

function closeShares(state: SecureRoundState, setup: SecureRoundSetup, now: number): void {
  const { settings } = setup;
  let present = state.participants.flatMap(({ shares }, i) => (shares ? [i] : []));
  // A client that has lost too many neighbors cannot be unmasked. Exclude it now, while this does not
  // affect other clients.
  for (let before = -1; before !== present.length;) {
    before = present.length;
    const there = new Set(present);
    present = present.filter(
      (i) => state.participants[i]!.neighbors.filter((j) => there.has(j)).length >= thresholdOf(state),
    );
  }
  if (present.length < settings.minClients)
    return abandon(
      state,
      `expected the shares of at least ${settings.minClients} clients with ${thresholdOf(state)} neighbors each; got ${present.length}`,
    );
  state.present = present;
  open(state, setup, "masked", now);
}

function closeMasked(state: SecureRoundState, setup: SecureRoundSetup, now: number): void {
  const { settings } = setup;
  if (state.survivors.size < settings.minClients)
    return abandon(
      state,
      `expected the vectors of at least ${settings.minClients} clients; got ${state.survivors.size}`,
    );
  for (const i of state.present) {
    const left = state.participants[i]!.neighbors.filter((j) => state.survivors.has(j)).length;
    const needed = left > 0 || state.survivors.has(i);
    if (needed && left < thresholdOf(state))
      return abandon(
        state,
        `expected at least ${thresholdOf(state)} remaining neighbors of every client; got ${left} for one`,
      );
  }
  open(state, setup, "unmask", now);
}

async function closeUnmask(state: SecureRoundState, { settings }: SecureRoundSetup): Promise<void> {
  const { participants, present, survivors, transcript, sum } = state;
  const opened = await unmaskSum({
    sum,
    settings,
    transcript: transcript!,
    threshold: thresholdOf(state),
    clients: present.map((index) => ({
      index,
      ...participants[index]!,
      shares: participants[index]!.shares!,
      survived: survivors.has(index),
    })),
  });
  if ("reason" in opened) {
    if (opened.suspect !== undefined) state.suspect = participants[opened.suspect]!.client;
    return abandon(state, opened.reason);
  }
  state.result = { ...opened, clients: [...survivors].map((i) => participants[i]!.client) };
  state.phase = "done";
}
