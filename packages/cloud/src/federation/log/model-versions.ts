import { SednaError } from "@sedna-js/core";
import type { FederationState } from "@sedna-js/core/federation";
import type { FederationPlan } from "@sedna-js/core/wire";
import { floatsOf } from "./float-bytes.ts";
import { blobsToDelete, memoryBlob, modelBlob } from "./blob-names.ts";
import type { AccountedRound, FederationLog, FederationRecord, ModelRecord } from "./federation-log.ts";

/** A model of a federation. */
export interface ModelVersion {
  readonly parameters: Float32Array;
  /** Of its bytes, little-endian; 64 digits in lower case. */
  readonly sha256: string;
}

/** A round's model, before anybody hears of it. */
export interface MadeModel extends Pick<ModelVersion, "sha256"> {
  readonly round: number;
  readonly version: number;
  readonly model: Float32Array;
  readonly memory: Float32Array | undefined;
}

/** The SHA-256 of floats, as 64 digits in lower case. */
export async function sha256Of(values: Float32Array): Promise<string> {
  const digest = new Uint8Array(
    await crypto.subtle.digest(
      "SHA-256",
      new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
    ),
  );
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Reads a model that the log tells of.
 * @throws {SednaError} `storage-failed` when it is not there, or is another.
 */
export async function readModel(
  log: FederationLog,
  { version, blob, sha256 }: ModelRecord,
): Promise<ModelVersion> {
  const bytes = await log.getBlob(blob);
  const parameters = bytes && floatsOf(bytes);
  const got = parameters ? await sha256Of(parameters) : "none";
  if (!parameters || got !== sha256)
    throw new SednaError(`read model ${version}: expected bytes of SHA-256 ${sha256}; got ${got}`, {
      code: "storage-failed",
    });
  return { parameters, sha256 };
}

/**
 * A model that was made and kept, and perhaps fetched by clients, before its record was written: made again
 * it might differ in a last bit.
 */
export async function modelFromBefore(
  log: FederationLog,
  version: number,
): Promise<{ readonly model: Float32Array; readonly memory: Float32Array | undefined } | undefined> {
  const [model, memory] = [await log.getBlob(modelBlob(version)), await log.getBlob(memoryBlob(version))];
  return model && { model: floatsOf(model), memory: memory && floatsOf(memory) };
}

/** Deletes what a federation in this state has no use for. */
export async function deleteUnneeded(
  log: FederationLog,
  options: { readonly state: FederationState; readonly keepUpdates: boolean },
): Promise<void> {
  for (const name of blobsToDelete(await log.blobs(), options)) await log.deleteBlob(name);
}

/** What a federation is between two rounds. */
interface SnapshotOptions {
  readonly at: number;
  readonly plan: FederationPlan;
  /** Parameters. */
  readonly length: number;
  readonly state: FederationState;
  readonly models: ReadonlyMap<number, ModelVersion>;
  /** The aggregator keeps something for the next round. */
  readonly hasMemory: boolean;
  readonly accounted: readonly AccountedRound[];
}

/**
 * The record that a log which has become long begins anew with; undefined while updates of a round are
 * counted.
 */
export function snapshotOf({
  at,
  plan,
  length,
  state,
  models,
  hasMemory,
  accounted,
}: SnapshotOptions): FederationRecord | undefined {
  if (state.open && state.open.accepted.size > 0) return undefined;
  const records = [...models].map(([version, { sha256 }]): ModelRecord => ({
    version,
    blob: modelBlob(version),
    sha256,
    ...(hasMemory && version === state.modelVersion && { memory: memoryBlob(version) }),
  }));
  return {
    type: "snapshot",
    at,
    name: plan.name,
    length,
    plan,
    state,
    models: records,
    accounted: [...accounted],
  };
}
