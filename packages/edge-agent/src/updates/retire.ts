import type { Estimator } from "@sedna-js/core";

/** Options of {@link retire}. */
interface RetireOptions {
  /** Settles when the model has answered what it had taken. */
  readonly drained?: Promise<unknown>;
  /** It is waited for no longer than so many ms. */
  readonly drainMs: number;
}

/**
 * Disposes a model that left its slot. Never rejects: there is nothing to do about a model that does not go
 * quietly.
 */
export async function retire(
  model: Pick<Estimator<never, unknown>, "dispose">,
  { drained = Promise.resolve(), drainMs }: RetireOptions,
): Promise<void> {
  let timer: unknown;
  const patience = new Promise((resolve) => (timer = setTimeout(() => resolve(undefined), drainMs)));
  await Promise.race([drained.catch(() => {}), patience]);
  clearTimeout(timer);
  await model.dispose().catch(() => {});
}
