import { callListener } from "@sedna-js/core/async";
import { watchPauses } from "#platform/training";
import type { TrainingPauses } from "@sedna-js/core";
import type { PauseReason, PauseSettings } from "./pause-settings.ts";
import { poll } from "./poll.ts";

/** Options of {@link trainingPauses}. */
export interface TrainingPausesOptions extends PauseSettings {
  /**
   * A condition of the caller, evaluated at once and then every `everyMs`. Training is paused while it is
   * true or throws.
   */
  readonly pauseWhen?: () => boolean | Promise<boolean>;
}

/** Training pauses with their reasons. */
export interface WatchedPauses extends TrainingPauses {
  readonly reasons: readonly PauseReason[];
  /** Stops watching. Training is never paused afterwards. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * Watches for reasons to pause training on this device. Pass the result to `train` as `pauses`. In a page,
 * training is paused while the battery is low, the page is hidden, or the visitor saves data. A condition
 * that the browser does not report never pauses. In Node only the requested conditions are watched.
 *
 * @throws {RangeError} If `below` is outside 0..1 or `everyMs` is not above 0.
 */
export function trainingPauses({ pauseWhen, ...settings }: TrainingPausesOptions = {}): WatchedPauses {
  const { battery, everyMs = 60_000 } = settings;
  if (battery && !(battery.below >= 0 && battery.below <= 1))
    throw new RangeError(`watch for pauses: expected battery.below from 0 to 1; got ${battery.below}`);
  if (!(everyMs > 0)) throw new RangeError(`watch for pauses: expected everyMs above 0; got ${everyMs}`);
  const reasons = new Set<PauseReason>();
  const listeners = new Set<() => void>();
  const end = new AbortController();

  const change = (update: () => void): void => {
    const before = reasons.size > 0;
    update();
    if (before === reasons.size > 0) return;
    for (const listener of listeners) callListener(listener, undefined);
  };
  const tell = (reason: PauseReason, isActive: boolean): void => {
    if (!end.signal.aborted) change(() => void (isActive ? reasons.add(reason) : reasons.delete(reason)));
  };
  watchPauses({ settings, tell, signal: end.signal });
  if (pauseWhen) poll(async () => tell("condition", await holds(pauseWhen)), { everyMs, signal: end.signal });

  const dispose = (): void => {
    if (end.signal.aborted) return;
    end.abort();
    change(() => reasons.clear());
    listeners.clear();
  };
  return {
    get paused() {
      return reasons.size > 0;
    },
    get reasons() {
      return [...reasons];
    },
    onChange(listener) {
      // Wrap the listener so that each call adds a separate one, even for the same function.
      const own = (): void => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/**
 * Returns whether the condition holds. A condition that throws holds: training too little is better than
 * training on a device that should be spared.
 */
async function holds(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await condition();
  } catch {
    return true;
  }
}
