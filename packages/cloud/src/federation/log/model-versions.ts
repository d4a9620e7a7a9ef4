import { SednaError } from "@sedna-js/core";
import type { FederationState } from "@sedna-js/core/federation";
import { type FederationPlan, toHex } from "@sedna-js/core/wire";
import { floatsOf } from "./float-bytes.ts";
import { blobsToDelete, memoryBlob, modelBlob } from "./blob-names.ts";
import type { AccountedRound, FederationLog, FederationRecord, ModelRecord } from "./federation-log.ts";

/** A model version of a federation. */
export interface ModelVersion {
  readonly parameters: Float32Array;
  /** SHA-256 of the little-endian bytes, as 64 lowercase hexadecimal digits. */
  readonly sha256: string;
}

/** The model of a round, before it is published. */
export interface MadeModel extends Pick<ModelVersion, "sha256"> {
  readonly round: number;
  readonly version: number;
  readonly model: Float32Array;
  readonly serverState: Float32Array | undefined;
}

/** Returns the SHA-256 of floats, as 64 lowercase hexadecimal digits. */
export async function sha256Of(values: Float32Array): Promise<string> {
  const digest = new Uint8Array(
    await crypto.subtle.digest(
      "SHA-256",
      new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
    ),
  );
  return toHex(digest);
}

/**
 * Reads a model that the log names.
 * @throws {SednaError} `storage-failed` If the blob is missing or has another hash.
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
 * Reads a model that was written, and perhaps fetched by clients, before its record. A second computation
 * could differ in the last bit.
 */
export async function modelFromBefore(
  log: FederationLog,
  version: number,
): Promise<{ readonly model: Float32Array; readonly serverState: Float32Array | undefined } | undefined> {
  const [model, serverState] = [
    await log.getBlob(modelBlob(version)),
    await log.getBlob(memoryBlob(version)),
  ];
  return model && { model: floatsOf(model), serverState: serverState && floatsOf(serverState) };
}

/** Deletes the blobs that a federation in this state no longer needs. */
export async function deleteUnneeded(
  log: FederationLog,
  options: { readonly state: FederationState; readonly keepUpdates: boolean },
): Promise<void> {
  for (const name of blobsToDelete(await log.blobs(), options)) await log.deleteBlob(name);
}

/** The state of a federation between two rounds. */
interface SnapshotOptions {
  readonly at: number;
  readonly plan: FederationPlan;
  /** Number of parameters. */
  readonly length: number;
  readonly state: FederationState;
  readonly models: ReadonlyMap<number, ModelVersion>;
  /** True if the aggregator has server state for the next round. */
  readonly hasMemory: boolean;
  readonly accounted: readonly AccountedRound[];
}

/** Returns the record that replaces a long log; `undefined` if the active round has accepted updates. */
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
