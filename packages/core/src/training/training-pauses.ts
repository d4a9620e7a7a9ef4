/** Says when not to train: while a battery runs low, a page is hidden, ... */
export interface TrainingPauses {
  /** True while a training is to wait. */
  readonly paused: boolean;
  /** Calls `listener` after each change of `paused`; returns a function that stops it. */
  onChange(listener: () => void): () => void;
}

/**
 * Resolves as soon as nothing pauses.
 * @throws the signal's reason when it is aborted before.
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
