/** Pauses training, for example while the battery is low or the page is hidden. */
export interface TrainingPauses {
  /** True while training must wait. */
  readonly paused: boolean;
  /** Calls `listener` after each change of `paused`. Returns a function that removes the listener. */
  onChange(listener: () => void): () => void;
}

/**
 * Resolves as soon as training is not paused.
 * @throws The signal's reason if it is aborted first.
 */
export function untilResumed(pauses: TrainingPauses | undefined, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    if (!pauses?.paused) return resolve();
    const settle = (): void => {
      if (pauses.paused && !signal?.aborted) return;
      stop();
      signal?.removeEventListener("abort", settle);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const stop = pauses.onChange(settle);
    signal?.addEventListener("abort", settle, { once: true });
  });
}
