import { SednaError } from "../errors.ts";
import type { SecurePhase, RejectionCode } from "../wire/federation.ts";
import type {
  SecureAnswer,
  SecureKeys,
  SecureSettings,
  SecureSharesResponse,
  SecureUnmaskResponse,
} from "../wire/secure-aggregation.ts";
import { isSmallOrder } from "./key-agreement.ts";
import { neighborhoodSize, neighborsOf } from "./neighborhood.ts";
import { fitsRing, type SecureMean } from "./quantize.ts";
import type { RingVector } from "./keystream.ts";
import { fromBase64, transcriptOf } from "./secure-keys.ts";
import { unmaskSum } from "./unmask-sum.ts";

/** Options of {@link createSecureRound}. Times in ms. */
export interface SecureRoundOptions {
  readonly federation: string;
  readonly round: number;
  readonly settings: SecureSettings;
  /** Clients that are invited to take part. */
  readonly clients: readonly string[];
  /** Maximum duration of each phase. Clients train in phase `masked`. */
  readonly deadlines: Readonly<Record<SecurePhase, number>>;
  readonly now: number;
}

/** The result of receiving a response. */
export type SecureReceipt =
  | { readonly accepted: true; readonly duplicate?: true }
  | { readonly rejected: RejectionCode; readonly error: string };

/** The result of a secure aggregation. */
export interface SecureAggregate extends SecureMean {
  /** Clients whose updates are in the aggregate. */
  readonly clients: readonly string[];
}

/**
 * The aggregator side of one secure aggregation. It has no clock and no network: the caller provides both.
 */
export interface SecureRound {
  readonly round: number;
  readonly phase: SecurePhase | "done" | "abandoned";
  /** Time at which the phase ends, even if clients are missing. */
  readonly deadlineAt: number;
  /**
   * Returns the current task of a client, or `undefined` if the client has responded or is no longer part of
   * the round.
   */
  task(client: string): { readonly phase: SecurePhase; readonly message: unknown } | undefined;
  /** Receives a response. A masked vector is added to the sum immediately and is not stored. */
  receive(client: string, answer: SecureAnswer): SecureReceipt;
  /**
   * Starts the next phase if every client has responded or the deadline has passed. Call it after `receive`
   * and at `deadlineAt`.
   *
   * @returns Whether the phase has changed.
   */
  advance(now: number): Promise<boolean>;
  /** Set in phase `done`. */
  readonly result: SecureAggregate | undefined;
  /** Set in phase `abandoned`: a `cohort-too-small` error with the reason. */
  readonly error: SednaError | undefined;
  /** Set in phase `abandoned` if known: the client that caused the failure. */
  readonly suspect: string | undefined;
}

/** A client whose keys are part of the round. Its position in the list of keys is its index. */
interface Participant {
  readonly client: string;
  readonly keys: SecureKeys;
  readonly neighbors: readonly number[];
  shares?: SecureSharesResponse;
  unmask?: SecureUnmaskResponse;
}

/**
 * Creates the aggregator of one round of secure aggregation. The aggregator learns the sum, the total weight
 * and the participants, and nothing more about a single client. If too few clients are left to unmask the
 * sum, the round is abandoned: a partial sum is never unmasked.
 *
 * @throws {RangeError} If the sum of all clients could overflow, or there are fewer than `minClients`
 * clients.
 */
export function createSecureRound({
  federation,
  round,
  settings,
  clients,
  deadlines,
  now,
}: SecureRoundOptions): SecureRound {
  if (!fitsRing(settings, clients.length))
    throw new RangeError(
      `start a secure aggregation: expected clients times levels times weight below 2^32; got ${clients.length} times ${settings.levels} times ${settings.maxWeight}`,
    );
  if (clients.length < settings.minClients)
    throw new RangeError(
      `start a secure aggregation: expected at least ${settings.minClients} clients; got ${clients.length}`,
    );
  const keys = new Map<string, SecureKeys>();
  const sum: RingVector = new Uint32Array(settings.length + 1);
  const state: {
    phase: SecureRound["phase"];
    deadlineAt: number;
    all: readonly Participant[];
    present: readonly number[];
    readonly survivors: Set<number>;
    transcript?: Uint8Array<ArrayBuffer>;
    result?: SecureAggregate;
    error?: SednaError;
    suspect?: string;
    advancing?: Promise<boolean>;
  } = { phase: "keys", deadlineAt: now + deadlines.keys, all: [], present: [], survivors: new Set() };

  const indexOf = (client: string): number => state.all.findIndex((one) => one.client === client);
  const threshold = (): number => neighborhoodSize(state.all.length).threshold;
  const abandon = (reason: string): void => {
    state.error = new SednaError(`aggregate securely in phase ${state.phase}: ${reason}`, {
      code: "cohort-too-small",
      retryable: true,
    });
    state.phase = "abandoned";
  };
  const open = (phase: SecurePhase, at: number): void => {
    state.phase = phase;
    state.deadlineAt = at + deadlines[phase];
  };

  /** Returns the clients that the phase waits for. */
  const awaited = (): readonly string[] => {
    switch (state.phase) {
      case "keys":
        return clients.filter((client) => !keys.has(client));
      case "shares":
        return state.all.filter(({ shares }) => !shares).map(({ client }) => client);
      case "masked":
        return state.present.filter((i) => !state.survivors.has(i)).map((i) => state.all[i]!.client);
      case "unmask":
        return [...state.survivors].filter((i) => !state.all[i]!.unmask).map((i) => state.all[i]!.client);
      default:
        return [];
    }
  };

  const closeKeys = async (at: number): Promise<void> => {
    if (keys.size < settings.minClients)
      return abandon(`expected the keys of at least ${settings.minClients} clients; got ${keys.size}`);
    const sorted = [...keys].toSorted(([, a], [, b]) => (a.maskKey < b.maskKey ? -1 : 1));
    state.transcript = await transcriptOf({
      federation,
      round,
      settings,
      clients: sorted.map(([, one]) => one),
    });
    const neighbors = await neighborsOf({ clients: sorted.length, seed: state.transcript });
    state.all = sorted.map(([client, one], i) => ({ client, keys: one, neighbors: neighbors[i]! }));
    open("shares", at);
  };

  const closeShares = (at: number): void => {
    let present = state.all.flatMap(({ shares }, i) => (shares ? [i] : []));
    // A client that has lost too many neighbors cannot be unmasked. Exclude it now, while this does not
    // affect other clients.
    for (let before = -1; before !== present.length;) {
      before = present.length;
      const there = new Set(present);
      present = present.filter(
        (i) => state.all[i]!.neighbors.filter((j) => there.has(j)).length >= threshold(),
      );
    }
    if (present.length < settings.minClients)
      return abandon(
        `expected the shares of at least ${settings.minClients} clients with ${threshold()} neighbors each; got ${present.length}`,
      );
    state.present = present;
    open("masked", at);
  };

  const closeMasked = (at: number): void => {
    if (state.survivors.size < settings.minClients)
      return abandon(
        `expected the vectors of at least ${settings.minClients} clients; got ${state.survivors.size}`,
      );
    for (const i of state.present) {
      const left = state.all[i]!.neighbors.filter((j) => state.survivors.has(j)).length;
      const needed = left > 0 || state.survivors.has(i);
      if (needed && left < threshold())
        return abandon(
          `expected at least ${threshold()} remaining neighbors of every client; got ${left} for one`,
        );
    }
    open("unmask", at);
  };

  const closeUnmask = async (): Promise<void> => {
    const { all, present, survivors, transcript } = state;
    const opened = await unmaskSum({
      sum,
      settings,
      transcript: transcript!,
      threshold: threshold(),
      clients: present.map((index) => ({
        index,
        ...all[index]!,
        shares: all[index]!.shares!,
        survived: survivors.has(index),
      })),
    });
    if ("reason" in opened) {
      if (opened.suspect !== undefined) state.suspect = all[opened.suspect]!.client;
      return abandon(opened.reason);
    }
    state.result = { ...opened, clients: [...survivors].map((i) => all[i]!.client) };
    state.phase = "done";
  };

  const take = (client: string, answer: SecureAnswer): SecureReceipt => {
    const index = indexOf(client);
    const one = state.all[index];
    switch (answer.phase) {
      case "keys": {
        if (!clients.includes(client))
          return { rejected: "not-selected", error: "expected a client of this round; got another" };
        if (keys.has(client)) return { accepted: true, duplicate: true };
        const { maskKey, sealKey } = answer.message;
        if (
          [maskKey, sealKey].some((key) => isSmallOrder(fromBase64(key))) ||
          [...keys.values()].some((other) => other.maskKey === maskKey)
        )
          return { rejected: "wrong-shape", error: "expected unique keys of full order; got others" };
        keys.set(client, answer.message);
        return { accepted: true };
      }
      case "shares": {
        if (!one)
          return {
            rejected: "not-selected",
            error: "expected a client whose keys are part of the round; got another",
          };
        if (one.shares) return { accepted: true, duplicate: true };
        const to = answer.message.boxes.map((box) => box.to).toSorted((a, b) => a - b);
        if (to.length !== one.neighbors.length || to.some((who, i) => who !== one.neighbors[i]))
          return { rejected: "wrong-shape", error: "expected one box for each neighbor; got others" };
        one.shares = answer.message;
        return { accepted: true };
      }
      case "masked": {
        if (!state.present.includes(index))
          return {
            rejected: "not-selected",
            error: "expected a client whose shares were accepted; got another",
          };
        if (state.survivors.has(index)) return { accepted: true, duplicate: true };
        if (answer.message.length !== sum.length)
          return {
            rejected: "wrong-length",
            error: `expected ${sum.length} words; got ${answer.message.length}`,
          };
        for (let i = 0; i < sum.length; i++) sum[i]! += answer.message[i]!;
        state.survivors.add(index);
        return { accepted: true };
      }
      case "unmask": {
        if (!one || !state.survivors.has(index))
          return {
            rejected: "not-selected",
            error: "expected a client whose vector was accepted; got another",
          };
        if (one.unmask) return { accepted: true, duplicate: true };
        one.unmask = answer.message;
        return { accepted: true };
      }
      default:
        return answer satisfies never;
    }
  };

  const messageFor = (client: string): unknown => {
    const index = indexOf(client);
    switch (state.phase) {
      case "keys":
        return { settings };
      case "shares":
        return { settings, clients: state.all.map((one) => one.keys) };
      case "masked":
        return {
          present: state.present,
          boxes: state.all[index]!.neighbors.filter((from) => state.present.includes(from)).map((from) => ({
            from,
            box: state.all[from]!.shares!.boxes.find(({ to }) => to === index)!.box,
          })),
        };
      case "unmask":
        return {
          survivors: state.present.filter((i) => state.survivors.has(i)),
          dropped: state.present.filter((i) => !state.survivors.has(i)),
        };
      default:
        return undefined;
    }
  };

  return {
    round,
    get phase() {
      return state.phase;
    },
    get deadlineAt() {
      return state.deadlineAt;
    },
    get result() {
      return state.result;
    },
    get error() {
      return state.error;
    },
    get suspect() {
      return state.suspect;
    },
    task(client) {
      if (state.phase === "done" || state.phase === "abandoned" || !awaited().includes(client))
        return undefined;
      return { phase: state.phase, message: messageFor(client) };
    },
    receive(client, answer) {
      if (answer.phase !== state.phase || state.advancing)
        return {
          rejected: "round-closed",
          error: `expected a response of phase ${state.phase}; got one of ${answer.phase}`,
        };
      return take(client, answer);
    },
    async advance(at) {
      if (state.advancing) return state.advancing;
      if (
        state.phase === "done" ||
        state.phase === "abandoned" ||
        (at < state.deadlineAt && awaited().length > 0)
      )
        return false;
      const close = { keys: closeKeys, shares: closeShares, masked: closeMasked, unmask: closeUnmask }[
        state.phase
      ];
      state.advancing = (async () => {
        await close(at);
        return true;
      })();
      try {
        return await state.advancing;
      } finally {
        delete state.advancing;
      }
    },
  };
}
