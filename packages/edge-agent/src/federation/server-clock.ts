import type { Reply } from "../http/http-request.ts";

/** A clock that estimates the server's time. See {@link serverClock}. */
export interface ServerClock {
  /** Returns unix time in ms. */
  now(): number;
  /** Reads the time from a response. Returns whether the clock was off by enough that a retry makes sense. */
  learn(reply: Pick<Reply, "headers">): boolean;
}

/**
 * Tolerance, because a `Date` header has a resolution of one second and the response takes time to arrive.
 */
const CLOSE_MS = 30_000;

/**
 * Creates a clock from the local clock and its offset to the server's, as learned from the `Date` header of
 * responses.
 */
export function serverClock(now: () => number = Date.now): ServerClock {
  let offset = 0;
  return {
    now: () => Math.round(now() + offset),
    learn({ headers }) {
      const date = Date.parse(headers.get("date") ?? "");
      if (Number.isNaN(date) || Math.abs(date - (now() + offset)) < CLOSE_MS) return false;
      offset = date - now();
      return true;
    },
  };
}
