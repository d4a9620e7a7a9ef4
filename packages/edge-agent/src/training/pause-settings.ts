/** Reason for a pause of the training. */
export type PauseReason = "battery" | "hidden" | "data-saver" | "condition";

/** Conditions of the platform under which training is paused. */
export interface PauseSettings {
  /**
   * Pauses while a battery discharges and its charge is below `below`, a fraction from 0 to 1. Default `{
   * below: 0.3 }` in browsers and false in Node, which supports it on Linux.
   */
  readonly battery?: false | { readonly below: number };
  /** Pauses while the page is hidden. Browsers only. Default true. */
  readonly visibility?: boolean;
  /**
   * Pauses while the visitor saves data or uses a mobile network, in browsers that report it. Default true.
   */
  readonly dataSaver?: boolean;
  /** Time between checks of Linux's battery and of `pauseWhen`, in ms. Default 60000. */
  readonly everyMs?: number;
}
