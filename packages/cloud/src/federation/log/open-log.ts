import { SednaError } from "@sedna-js/core";
import { type RoundSettings, initialFederation, applySettings } from "@sedna-js/core/federation";
import type { FederationPlan } from "@sedna-js/core/wire";
import { type Head, loadTrainingKernels } from "@sedna-js/wasm-kernels";
import { bytesOf, floatsOf } from "./float-bytes.ts";
import { modelBlob, versionsNeeded } from "./blob-names.ts";
import type { FederationLog, ModelRecord } from "./federation-log.ts";
import { type ModelVersion, readModel, sha256Of } from "./model-versions.ts";
import { type Replayed, type ReplayListener, replayLog } from "./replay-log.ts";

/** Options of {@link openLog}. */
interface OpenLogOptions {
  readonly plan: FederationPlan;
  readonly settings: RoundSettings;
  /** Number of model parameters. */
  readonly length: number;
  readonly log: FederationLog;
  readonly initialModel: Float32Array | undefined;
  readonly seed: number;
  readonly now: () => number;
  readonly listener: ReplayListener;
}

/** A federation as its log describes it. */
export interface OpenedLog extends Pick<Replayed, "state" | "sum" | "accepted" | "at"> {
  readonly models: Map<number, ModelVersion>;
  /** Server state of the aggregator after the latest model. */
  readonly serverState: Float32Array | undefined;
  /** True if the settings differ from those in the log: the active round may have to close. */
  readonly isChanged: boolean;
  /** Number of events in the log. */
  readonly events: number;
  /** True if clients know another plan. */
  readonly hasNewPlan: boolean;
}

/**
 * Starts a new log, or resumes an existing one.
 * @throws {SednaError} `storage-failed` If the log belongs to another federation, or lacks a model that is
 * needed.
 */
export async function openLog({
  log,
  plan,
  settings,
  length,
  initialModel,
  seed,
  now,
  listener,
}: OpenLogOptions): Promise<OpenedLog> {
  await log.open();
  const records = await log.read();
  const replayed = replayLog(records, listener);
  if (!replayed) return begin();
  if (replayed.name !== plan.name || replayed.length !== length) {
    throw new SednaError(
      `open a federation's log: expected ${plan.name} with ${length} parameters; got ${replayed.name} with ${replayed.length}`,
      { code: "storage-failed" },
    );
  }
  const isChanged = !isSame(replayed.state.settings, settings);
  // The owner may have changed the plan while the federation was down.
  const hasNewPlan = replayed.plan !== undefined && !isSame(taught(replayed.plan), taught(plan));
  if (isChanged || hasNewPlan) await log.append([{ type: "settings", settings, plan }]);
  const state = isChanged ? applySettings(replayed.state, settings) : replayed.state;
  const models = new Map<number, ModelVersion>();
  const recordOf = (version: number): ModelRecord => {
    const record = replayed.models.get(version);
    if (!record)
      throw new SednaError(`open a federation's log: expected a record of model ${version}; got none`, {
        code: "storage-failed",
      });
    return record;
  };
  for (const version of versionsNeeded(state)) models.set(version, await readModel(log, recordOf(version)));
  const { memory: name } = recordOf(state.modelVersion);
  const kept = name === undefined ? undefined : await log.getBlob(name);
  if (name !== undefined && !kept)
    throw new SednaError(`open a federation's log: expected the blob ${name}; got none`, {
      code: "storage-failed",
    });
  const events = records.reduce(
    (sum, record) => sum + (record.type === "events" ? record.events.length : 1),
    0,
  );
  return {
    state,
    events,
    isChanged,
    hasNewPlan,
    models,
    serverState: kept && floatsOf(kept),
    sum: replayed.sum,
    accepted: replayed.accepted,
    at: replayed.at,
  };

  async function begin(): Promise<OpenedLog> {
    const parameters = initialModel?.slice() ?? (await firstModel({ head: plan.head, length, seed }));
    const model: ModelVersion = { parameters, sha256: await sha256Of(parameters) };
    const at = now();
    await log.putBlob(modelBlob(0), bytesOf(parameters));
    await log.append([
      {
        type: "started",
        at,
        name: plan.name,
        length,
        seed,
        settings,
        plan,
        model: { version: 0, blob: modelBlob(0), sha256: model.sha256 },
      },
    ]);
    return {
      state: initialFederation(settings, { seed, at }),
      events: 1,
      isChanged: false,
      hasNewPlan: false,
      models: new Map([[0, model]]),
      serverState: undefined,
      sum: undefined,
      accepted: [],
      at,
    };
  }
}

/** Returns the part of a plan that affects what clients do. */
const taught = ({ numRounds: _, participants: __, ...rest }: FederationPlan): object => rest;

const isSame = <T>(a: T, b: T): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Options of {@link firstModel}. */
interface FirstModelOptions {
  readonly head: Head | undefined;
  readonly length: number;
  readonly seed: number;
}

/**
 * Returns the initial parameters of a federation: zeros, or for an MLP the initial parameters of a head
 * trainer with this seed.
 */
async function firstModel({ head, length, seed }: FirstModelOptions): Promise<Float32Array> {
  if (head?.kind !== "mlp") return new Float32Array(length);
  const kernels = await loadTrainingKernels();
  try {
    const trainer = kernels.headTrainer({
      head,
      samples: new Float32Array(head.features),
      labels: Uint32Array.of(0),
      seed: seed >>> 0,
    });
    return trainer.weights();
  } finally {
    kernels.dispose();
  }
}
