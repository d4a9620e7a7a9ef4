import type { FederatedEvent, TrainingPauses } from "./federated-event.ts";

/** Options of {@link whenAllowed}. */
export interface WhenAllowedOptions {
  readonly pauses: TrainingPauses | undefined;
  readonly signal: AbortSignal;
  readonly emit: (event: FederatedEvent) => void;
}

/** Waits while the device had better not train. @throws the signal's reason. */
export async function whenAllowed({ pauses, signal, emit }: WhenAllowedOptions): Promise<void> {
  signal.throwIfAborted();
  let told: string | undefined;
  for (let reason = pauses?.reason(); reason !== undefined; reason = pauses!.reason()) {
    if (reason !== told) emit({ type: "paused", reason });
    told = reason;
    await changed(pauses!, signal);
  }
  if (told !== undefined) emit({ type: "resumed" });
}

/**
 * Runs work that a pause cuts off and that begins anew afterwards.
 * @throws the signal's reason, or what the work throws.
 */
export async function withPauses<T>(work: (signal: AbortSignal) => Promise<T>, options: WhenAllowedOptions): Promise<T> {
  const { pauses, signal } = options;
  for (;;) {
    await whenAllowed(options);
    const cut = new AbortController();
    const listening = pauses?.onChange(() => {
      if (pauses.reason() !== undefined) cut.abort();
    });
    try {
      return await work(AbortSignal.any([signal, cut.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (!cut.signal.aborted) throw error;
    } finally {
      listening?.();
    }
  }
}

function changed(pauses: TrainingPauses, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      stopListening();
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => done(() => reject(signal.reason));
    const stopListening = pauses.onChange(() => done(resolve));
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
