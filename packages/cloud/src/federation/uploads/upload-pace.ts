/** When those come back who are sent away; see {@link createUploadPace}. */
export interface UploadPace {
  /** An upload has left its place. */
  done(): void;
  /** In how many ms one more may come back, who is told so and expected then. */
  next(): number;
}

/** Uploads a second, before any was seen: who comes back too early is told better. */
const FIRST_GUESS = 200;
const LEAST_MS = 100;
const MOST_MS = 30_000;

/**
 * Spreads those who are sent away over the time that those before them need: each is given a moment of its own, as far
 * behind the last one as an upload takes. Source: Bonawitz et al., "Towards Federated Learning at Scale", 2019: pace steering.
 */
export function createUploadPace(now: () => number): UploadPace {
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
      if (lastGiven - at > MOST_MS) lastGiven = at;
      return Math.max(LEAST_MS, lastGiven - at);
    },
  };
}
