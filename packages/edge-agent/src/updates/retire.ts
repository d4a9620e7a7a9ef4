import { waitAtMost } from "@sedna-js/core/async";
import type { Estimator } from "@sedna-js/core";

/** Options of {@link retire}. */
interface RetireOptions {
  /** Settles when the pending calls of the model have ended. */
  readonly drained?: Promise<unknown>;
  /** Maximum time to wait for `drained`, in ms. */
  readonly drainMs: number;
}

/** Disposes a model that has left its slot. Never rejects: a model that fails to close cannot be helped. */
export async function retire(
  model: Pick<Estimator<never, unknown>, "dispose">,
  { drained = Promise.resolve(), drainMs }: RetireOptions,
): Promise<void> {
  const settled = drained.catch(() => {});
  await waitAtMost(settled, drainMs);
  await model.dispose().catch(() => {});
}
