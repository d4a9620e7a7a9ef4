import type { PauseReason, PauseSettings } from "./pause-settings.ts";

/** What {@link watchPauses} watches for. */
export interface PauseWatch {
  readonly settings: PauseSettings;
  /** Told what holds now, and when that changes. */
  readonly tell: (reason: PauseReason, isActive: boolean) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Tells when this platform says that it is no time to train. */
export declare function watchPauses(watch: PauseWatch): void;
