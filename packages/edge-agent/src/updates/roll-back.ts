import { SednaError } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { retire } from "./retire.ts";
import { stageCandidate } from "./stage-candidate.ts";
import type { TakeOptions } from "./take-version.ts";

/**
 * Goes back to the last good version before the one in the slot, which is marked bad. A failure leaves all as
 * it was.
 * @throws {SednaError} `model-unreadable` where there is none; what opening it throws.
 */
export async function goBack<Sample, Result>({
  store,
  slot,
  open,
  settings,
  emit,
  signal,
}: Pick<
  TakeOptions<Sample, Result>,
  "store" | "slot" | "open" | "settings" | "emit" | "signal"
>): Promise<void> {
  const former = slot.current;
  const { name, version: from } = former.manifest;
  const versions = await store.versions();
  const state = versions.find(({ version }) => version === from)?.state;
  const lost = (): SednaError =>
    new SednaError(`go back from ${name} ${from}: expected another good version on this device; got none`, {
      code: "model-unreadable",
    });
  if (!versions.some((one) => one.version !== from && one.state === "good")) throw lost();

  // First, so that the last good one is another; and should the process end now, it starts with that one. Not
  // bad yet: a bad one loses its files, and where nothing else opens this one runs on, and may have to be
  // opened again.
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
        new SednaError(`run ${name} ${from}: expected nobody to object; somebody asked to go back`, {
          code: "model-mismatch",
        }),
      );
      // A slot that was closed takes nothing, and says so here.
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
