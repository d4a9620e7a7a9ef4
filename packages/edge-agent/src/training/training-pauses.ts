import type { TrainingPauses } from "@sedna-js/core";
import { watchPauses } from "#platform/training";
import { callListener } from "../async/call-listener.ts";
import { poll } from "./poll.ts";

/** Why a training waits. */
export type PauseReason = "battery" | "hidden" | "data-saver" | "condition";

/** When this platform itself tells to wait. */
export interface PauseSettings {
  /** Waits while a battery discharges and holds less than `below` of its charge. Default in browsers `{ below: 0.3 }`, in Node false; asks Linux. */
  readonly battery?: false | { readonly below: number };
  /** Waits while the page is hidden. Browsers; default true. */
  readonly visibility?: boolean;
  /** Waits while the visitor asks to save data, or is on a mobile network. Browsers that tell; default true. */
  readonly dataSaver?: boolean;
  /** How often Linux is asked for its battery. Default 60000. */
  readonly everyMs?: number;
}

/** Options of {@link trainingPauses}. */
export interface TrainingPausesOptions extends PauseSettings {
  /** A condition of yours, asked at once and every `everyMs`. While it fails, training waits. */
  readonly pauseWhen?: () => boolean | Promise<boolean>;
}

/** Pauses that say why. */
export interface WatchedPauses extends TrainingPauses {
  readonly reasons: readonly PauseReason[];
  /** Stops watching; nothing pauses from then on. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * When not to train on this device: pass it to `train` as `pauses`. In a page: while its battery runs low, it is hidden, or
 * data is to be saved; where a browser does not tell of one of them, that one never pauses. In Node only what is asked for.
 * @throws {RangeError} on a `below` outside of 0..1 or an `everyMs` that is not above 0.
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
      // Each call is a listener of its own, whatever the function.
      const own = (): void => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** A condition that cannot be asked holds: it is better to train too little than on a device that was to be spared. */
async function holds(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await condition();
  } catch {
    return true;
  }
}
