import type { PauseReason, PauseSettings } from "./pause-settings.ts";

/** Options of {@link watchPauses}. */
export interface PauseWatch {
  readonly settings: PauseSettings;
  /** Called with the current state of each reason, and when it changes. */
  readonly tell: (reason: PauseReason, isActive: boolean) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Reports when this platform's state requires training to pause. */
export declare function watchPauses(watch: PauseWatch): void;
