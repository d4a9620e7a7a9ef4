/** Options of {@link createPoller}. */
export interface PollerOptions {
  readonly periodMs: number;
  /**
   * Polls once. Resolves with whether the poll succeeded, and with the delay that the server requested, in
   * ms. Must not reject.
   */
  readonly look: () => Promise<{ readonly ok: boolean; readonly retryAfterMs?: number }>;
  /** Random source, uniform in [0,1). */
  readonly random: () => number;
}

/** Polls periodically until it is stopped. */
export interface Poller {
  /** Starts polling, unless it is already running. */
  start(): void;
  stop(): void;
}

/**
 * Maximum delay after failures or at a server's request, in ms. A longer one could keep a device from updates
 * forever.
 */
const MAX_MS = 3_600_000;

/**
 * Creates a poller. It polls soon after the start, then once per period, varied by up to a tenth: devices
 * that start together spread out. Each consecutive failure doubles the delay, up to an hour.
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
    // The poller was stopped meanwhile. If it was also restarted, the new run has its own timer.
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
