/** Options of {@link createPoller}. */
export interface PollerOptions {
  readonly periodMs: number;
  /**
   * Resolves with whether it came through, and how long the other side asked to be left alone. Must not
   * reject.
   */
  readonly look: () => Promise<{ readonly ok: boolean; readonly retryAfterMs?: number }>;
  /** In [0,1). */
  readonly random: () => number;
}

/** Looks again and again until it is stopped. */
export interface Poller {
  /** Starts, unless it runs. */
  start(): void;
  stop(): void;
}

/**
 * The longest pause that failures lead to, or a server: who asks for more could keep a device from updates
 * for ever.
 */
const MAX_MS = 3_600_000;

/**
 * Looks soon after the start, then once a period, a tenth more or less: a thousand devices that start
 * together spread out. Each failure in a row doubles the pause, to an hour at most.
 */
export function createPoller({ periodMs, look, random }: PollerOptions): Poller {
  let run: { timer?: unknown } | undefined;

  const schedule = (
    own: { timer?: unknown },
    { delayMs, failures }: { readonly delayMs: number; readonly failures: number },
  ): void => {
    own.timer = setTimeout(() => void turn(own, failures), delayMs);
  };
  const turn = async (own: { timer?: unknown }, failures: number): Promise<void> => {
    const { ok, retryAfterMs = 0 } = await look();
    // Stopped meanwhile, or stopped and started again: that run has a timer of its own.
    if (run !== own) return;
    const inARow = ok ? 0 : failures + 1;
    const backOff = Math.max(periodMs, Math.min(periodMs * 2 ** inARow, MAX_MS));
    schedule(own, {
      delayMs: Math.max(backOff * (0.9 + 0.2 * random()), Math.min(retryAfterMs, MAX_MS)),
      failures: inARow,
    });
  };

  return {
    start() {
      if (run) return;
      run = {};
      schedule(run, { delayMs: 0.1 * periodMs * random(), failures: 0 });
    },
    stop() {
      clearTimeout(run?.timer);
      run = undefined;
    },
  };
}
