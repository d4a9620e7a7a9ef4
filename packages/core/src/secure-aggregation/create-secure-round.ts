import { SednaError } from "../errors.ts";
import type { SecurePhase, RejectionCode } from "../wire/federation.ts";
import type {
  SecureAnswer,
  SecureKeys,
  SecureSettings,
  SecureSharesAnswer,
  SecureUnmaskAnswer,
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
  /** Those who are asked to take part. */
  readonly clients: readonly string[];
  /** How long each phase may take. Training falls into `masked`. */
  readonly deadlines: Readonly<Record<SecurePhase, number>>;
  readonly now: number;
}

/** What became of an answer. */
export type SecureReceipt =
  | { readonly accepted: true; readonly duplicate?: true }
  | { readonly rejected: RejectionCode; readonly error: string };

/** What a secure sum came to. */
export interface SecureAggregate extends SecureMean {
  /** Whose changes are in it. */
  readonly clients: readonly string[];
}

/** The aggregator's side of one secure sum: no clocks, no sockets; whoever has those calls it. */
export interface SecureRound {
  readonly round: number;
  readonly phase: SecurePhase | "done" | "abandoned";
  /** When the phase ends, whoever is missing. */
  readonly deadlineAt: number;
  /** What a client is to do now; undefined where it has answered, or is not part of it any more. */
  task(client: string): { readonly phase: SecurePhase; readonly message: unknown } | undefined;
  /** Takes an answer. A masked vector is added to the sum at once and not kept. */
  receive(client: string, answer: SecureAnswer): SecureReceipt;
  /** Goes on to the next phase where everyone has answered or the time is over; true when it did. To be called after `receive` and at `deadlineAt`. */
  advance(now: number): Promise<boolean>;
  /** Once `done`. */
  readonly result: SecureAggregate | undefined;
  /** Once `abandoned`: `cohort-too-small`, and why. */
  readonly error: SednaError | undefined;
  /** Once `abandoned`: whose fault it was, where that can be told. */
  readonly suspect: string | undefined;
}

/** A client once its keys are among all: its place in their order. */
interface Participant {
  readonly client: string;
  readonly keys: SecureKeys;
  readonly neighbors: readonly number[];
  shares?: SecureSharesAnswer;
  unmask?: SecureUnmaskAnswer;
}

/**
 * An aggregator of one round of the secure sum: it learns the sum, the total weight and who took part, and of no client more.
 * Where too few are left to unmask the sum, the round is abandoned: half a sum is never opened.
 * @throws {RangeError} where a sum of all clients could overflow, or there are fewer than the least.
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
      `open a secure sum: expected clients times levels times weight below 2^32; got ${clients.length} times ${settings.levels} times ${settings.maxWeight}`,
    );
  if (clients.length < settings.minClients)
    throw new RangeError(
      `open a secure sum: expected at least ${settings.minClients} clients; got ${clients.length}`,
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
    state.error = new SednaError(`make a secure sum in phase ${state.phase}: ${reason}`, {
      code: "cohort-too-small",
      retryable: true,
    });
    state.phase = "abandoned";
  };
  const open = (phase: SecurePhase, at: number): void => {
    state.phase = phase;
    state.deadlineAt = at + deadlines[phase];
  };

  /** Whose answers the phase waits for. */
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
    // Who has lost too many neighbours can't be unmasked: it is left out now, while that costs nobody else.
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
        return abandon(`expected ${threshold()} neighbors of every client to be there; got ${left} of one`);
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
          return { rejected: "wrong-shape", error: "expected keys of its own, of full order; got others" };
        keys.set(client, answer.message);
        return { accepted: true };
      }
      case "shares": {
        if (!one)
          return {
            rejected: "not-selected",
            error: "expected a client whose keys are among all; got another",
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
          return { rejected: "not-selected", error: "expected a client whose shares came; got another" };
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
          return { rejected: "not-selected", error: "expected a client whose vector came; got another" };
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
          error: `expected an answer of phase ${state.phase}; got one of ${answer.phase}`,
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
