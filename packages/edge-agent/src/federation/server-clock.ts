import type { Reply } from "../http/exchange.ts";

/** The time by the clock of who checks it; see {@link serverClock}. */
export interface ServerClock {
  /** Unix ms. */
  now(): number;
  /** Reads the time of a reply. True where ours was off by so much that asking again makes sense. */
  learn(reply: Pick<Reply, "headers">): boolean;
}

/** A date in a header has no smaller unit than a second, and travels for some. */
const CLOSE_MS = 30_000;

/** Our clock, and how far it is from the server's, as the `Date` of its replies says. */
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
