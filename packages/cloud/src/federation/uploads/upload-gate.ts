import { SednaError } from "@sedna-js/core";
import type { Timers } from "../../timers.ts";

/** Decides which client may upload next; see {@link createUploadGate}. */
interface UploadGate {
  /**
   * Resolves when the client may upload, in the order of calls. The reservation lasts for a few seconds.
   * @throws {SednaError} `cloud-busy` If too many clients wait, or the turn does not come in time. Also
   * throws the signal's reason.
   */
  admit(client: string, signal: AbortSignal | undefined): Promise<void>;
  /** The upload of a client has started. Returns whether the client had a reservation. */
  came(client: string): boolean;
  /** An upload has left its slot. */
  left(): void;
  /** Returns the error for clients that get no slot. */
  busy(): SednaError;
  /** Number of waiting clients. */
  readonly asking: number;
  /** Rejects all waiting clients. */
  close(): void;
}

/** Lifetime of a reservation, in ms. */
const PROMISE_MS = 3000;
/** Maximum time that a client waits, in ms: proxies time out after 30 s or more. */
const WAIT_MS = 20_000;
/** Maximum number of waiting clients; each costs about 20 KB. */
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
 * Lets clients wait for a slot before they upload: a waiting request costs much less memory than a waiting
 * upload, which costs 64 KB. Admits as many clients as keep the slots full.
 */
export function createUploadGate({ capacity, taken, now, timers }: UploadGateOptions): UploadGate {
  const pace = createUploadPace(now);
  /** Time of each reservation, oldest first. */
  const promised = new Map<string, number>();
  const asking = new Set<Asking>();
  let expiry: unknown;

  const busy = (): SednaError =>
    new SednaError("accept an update: expected a free slot soon; got too many uploads before it", {
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
    // A client that has a reservation and does not upload must not block the others.
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

/** Retry delays for clients that are rejected; see {@link createUploadPace}. */
interface UploadPace {
  /** An upload has left its slot. */
  done(): void;
  /** Returns the retry delay for one more client, in ms, and reserves that moment for it. */
  next(): number;
}

/**
 * Assumed uploads per second before any was measured: a client that retries too early gets a better delay.
 */
const FIRST_GUESS = 200;
const MIN_MS = 100;
const MAX_MS = 30_000;

/**
 * Spreads rejected clients over the time that the uploads before them need. Each gets its own moment, one
 * upload interval after the previous one. Source: Bonawitz et al., "Towards Federated Learning at Scale",
 * 2019: pace steering.
 */
function createUploadPace(now: () => number): UploadPace {
  /** Moving mean of the interval between two finished uploads, in ms. */
  let interval = 1000 / FIRST_GUESS;
  let lastDone: number | undefined;
  let lastGiven = -Infinity;
  return {
    done() {
      const at = now();
      // Ignore a long gap: perhaps no client was uploading.
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
