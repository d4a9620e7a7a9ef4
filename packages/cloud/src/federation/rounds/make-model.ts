import { memoryBlob, modelBlob } from "../log/blob-names.ts";
import type { FederationLog } from "../log/federation-log.ts";
import { modelFromBefore, sha256Of, type MadeModel } from "../log/model-versions.ts";
import type { RoundRun } from "./round-run.ts";

/**
 * Makes the model of a round that is closing. The journal is flushed first, so that everything the model is
 * made of is durable before the model; the model is durable before any client learns of it. The server state
 * is written before the model: a restart that finds the model finds all of it.
 */
export async function makeModel(run: RoundRun, log: FederationLog): Promise<MadeModel> {
  const version = run.state.modelVersion + 1;
  await run.journal.flush();
  const { model, serverState } = (await modelFromBefore(log, version)) ?? run.accumulator!.finish();
  const sha256 = await sha256Of(model);
  if (serverState) await run.journal.keep({ [memoryBlob(version)]: serverState });
  await run.journal.keep({ [modelBlob(version)]: model });
  return { round: run.state.open!.round, version, model, serverState, sha256 };
}
