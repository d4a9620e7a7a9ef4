import type { FederationPlan, FederationState } from "@sedna-js/core";
import { memoryBlob, modelBlob } from "./blob-names.ts";
import type { AccountedRound, FederationRecord, ModelRecord } from "./federation-log.ts";
import type { ModelVersion } from "./model-versions.ts";

/** What a federation is between two rounds. */
export interface SnapshotOptions {
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

/** The record that a log which has become long begins anew with; undefined while updates of a round are counted. */
export function snapshotOf({
  at,
  plan,
  length,
  state,
  models,
  hasMemory,
  accounted,
}: SnapshotOptions): FederationRecord | undefined {
  if (state.open && state.open.counted.size > 0) return undefined;
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
