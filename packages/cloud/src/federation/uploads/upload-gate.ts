import { SednaError } from "@sedna-js/core";
import type { Timers } from "../../timers.ts";

/** Who may send next; see {@link createUploadGate}. */
interface UploadGate {
  /**
   * Resolves when the client may send, in the order of asking. The promise holds for a few seconds.
   * @throws {SednaError} `cloud-busy` when too many ask, or its turn does not come in time; the signal's
   * reason.
   */
  admit(client: string, signal: AbortSignal | undefined): Promise<void>;
  /** The update of a client has begun to come; whether it was promised a place. */
  came(client: string): boolean;
  /** An update has left its place. */
  left(): void;
  /** What those hear for whom there is no place. */
  busy(): SednaError;
  /** Questions that wait. */
  readonly asking: number;
  /** Sends away who waits. */
  close(): void;
}

/** How long a promise is kept. */
const PROMISE_MS = 3000;
/** How long a question is kept: proxies give up after 30 s and more. */
const WAIT_MS = 20_000;
/** Questions that are kept; each costs some 20 KB. */
const MAX_WAITING_CLIENTS = 4096;

interface Asking {
  readonly client: string;
  readonly settle: (error?: Error) => void;
}

/** Options of {@link createUploadGate}. */
interface UploadGateOptions {
  readonly capacity: number;
  readonly taken: () => number;
  readonly now: () => number;
  readonly timers: Timers;
}

/**
 * Lets clients ask for a place before they send: a question that waits costs a few KB, an update that waits
 * 64. As many are let through as keep the places full.
 */
export function createUploadGate({ capacity, taken, now, timers }: UploadGateOptions): UploadGate {
  const pace = createUploadPace(now);
  /** When a promise was given, the oldest first. */
  const promised = new Map<string, number>();
  const asking = new Set<Asking>();
  let expiry: unknown;

  const busy = (): SednaError =>
    new SednaError("take an update: expected a place for it soon; got too many before it", {
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: pace.next(),
    });
  const forgetOld = (): void => {
    for (const [client, at] of promised) {
      if (now() - at < PROMISE_MS) break;
      promised.delete(client);
    }
  };
  const advance = (): void => {
    forgetOld();
    for (const one of asking) {
      if (taken() + promised.size >= capacity) break;
      asking.delete(one);
      promised.set(one.client, now());
      one.settle();
    }
    // Who was promised a place and does not come must not hold up the others.
    if (asking.size > 0 && promised.size > 0) expiry ??= timers.set(expired, PROMISE_MS);
  };
  const expired = (): void => {
    expiry = undefined;
    advance();
  };

  return {
    async admit(client, signal) {
      signal?.throwIfAborted();
      forgetOld();
      if (promised.has(client)) return;
      if (asking.size === 0 && taken() + promised.size < capacity) return void promised.set(client, now());
      if (asking.size >= MAX_WAITING_CLIENTS) throw busy();
      await new Promise<void>((resolve, reject) => {
        const timer = timers.set(() => one.settle(busy()), WAIT_MS);
        const onAbort = (): void => one.settle(signal!.reason as Error);
        const one: Asking = {
          client,
          settle(error) {
            asking.delete(one);
            timers.clear(timer);
            signal?.removeEventListener("abort", onAbort);
            if (error) reject(error);
            else resolve();
          },
        };
        asking.add(one);
        signal?.addEventListener("abort", onAbort, { once: true });
        advance();
      });
    },
    came: (client) => promised.delete(client),
    left() {
      pace.done();
      advance();
    },
    busy,
    get asking() {
      return asking.size;
    },
    close() {
      if (expiry !== undefined) timers.clear(expiry);
      for (const one of asking) one.settle(busy());
    },
  };
}

/** When those come back who are sent away; see {@link createUploadPace}. */
interface UploadPace {
  /** An upload has left its place. */
  done(): void;
  /** In how many ms one more may come back, who is told so and expected then. */
  next(): number;
}

/** Uploads a second, before any was seen: who comes back too early is told better. */
const FIRST_GUESS = 200;
const MIN_MS = 100;
const MAX_MS = 30_000;

/**
 * Spreads those who are sent away over the time that those before them need: each is given a moment of its
 * own, as far behind the last one as an upload takes. Source: Bonawitz et al., "Towards Federated Learning at
 * Scale", 2019: pace steering.
 */
function createUploadPace(now: () => number): UploadPace {
  /** Between two uploads that leave, a moving mean. */
  let interval = 1000 / FIRST_GUESS;
  let lastDone: number | undefined;
  let lastGiven = -Infinity;
  return {
    done() {
      const at = now();
      // A pause is no slowness: nobody may have been there.
      if (lastDone !== undefined && at - lastDone < 1000) interval += (at - lastDone - interval) / 16;
      lastDone = at;
    },
    next() {
      const at = now();
      lastGiven = Math.max(at, lastGiven) + interval;
      if (lastGiven - at > MAX_MS) lastGiven = at;
      return Math.max(MIN_MS, lastGiven - at);
    },
  };
}
