import { SednaError } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { retire } from "./retire.ts";
import { stageCandidate } from "./stage-candidate.ts";
import type { RolloutOptions } from "./install-version.ts";

/**
 * Rolls back to the last good version before the current one, which is marked bad. A failure changes nothing.
 * @throws {SednaError} `model-unreadable` if there is no such version; the error of opening it.
 */
export async function rollBack<Sample, Result>({
  store,
  slot,
  open,
  settings,
  emit,
  signal,
}: Pick<
  RolloutOptions<Sample, Result>,
  "store" | "slot" | "open" | "settings" | "emit" | "signal"
>): Promise<void> {
  const former = slot.current;
  const { name, version: from } = former.manifest;
  const versions = await store.versions();
  const state = versions.find(({ version }) => version === from)?.state;
  const lost = (): SednaError =>
    new SednaError(`roll back from ${name} ${from}: expected another good version on this device; got none`, {
      code: "model-unreadable",
    });
  if (!versions.some((one) => one.version !== from && one.state === "good")) throw lost();

  // Mark the version first, so that the last good one is another, with which the next start begins if the
  // process ends now. Do not mark it bad yet: a bad version loses its files, and if no other opens, this one
  // continues and may have to be reopened.
  await store.mark(from, "trial");
  try {
    const model = await store.lastGood();
    if (!model) throw lost();
    const next = await open(model);
    try {
      const staged = await stageCandidate(next, model, { stageMs: settings.stageMs, signal, onOpen() {} });
      if ("rejection" in staged) throw staged.error;
      signal.throwIfAborted();
      const drained = slot.swap(next);
      const to = model.manifest.version;
      const error = toPlainError(
        new SednaError(`run ${name} ${from}: expected no rollback; a rollback was requested`, {
          code: "model-mismatch",
        }),
      );
      // A disposed slot rejects the swap here.
      if (slot.current !== next) return void (await drained);
      emit({ type: "update-rolled-back", model: name, from, to, rejection: "asked", error });
      try {
        await store.mark(from, "bad");
      } finally {
        await retire(former, { drained, drainMs: settings.drainMs });
      }
    } finally {
      if (slot.current !== next) await retire(next, { drainMs: 0 });
    }
  } catch (error) {
    if (slot.current === former && state) await store.mark(from, state);
    throw error;
  }
}
