import { SednaError } from "@sedna-js/core";
import {
  reduceFederation,
  initialFederation,
  applySettings,
  type FederationEffect,
  type FederationEvent,
  type FederationState,
} from "@sedna-js/core/federation";
import type { FederationPlan } from "@sedna-js/core/wire";
import type { AccountedRound, FederationRecord, ModelRecord, SumCheckpoint } from "./federation-log.ts";

/** The state at the end of a log. */
export interface Replayed {
  readonly state: FederationState;
  readonly name: string;
  readonly length: number;
  /** All models by version, including the initial one. */
  readonly models: ReadonlyMap<number, ModelRecord>;
  /** The last checkpoint of the active round's accumulator. */
  readonly sum: SumCheckpoint | undefined;
  /** Accepted updates of the active round, in order. */
  readonly accepted: readonly (FederationEvent & { readonly type: "accepted" })[];
  /** The last plan that clients received. */
  readonly plan: FederationPlan | undefined;
  /** Time of the last event. */
  readonly at: number;
}

/** Callbacks of a replay. */
export interface ReplayListener {
  /** Called with each event and its effects. */
  readonly onEvent?: OnReplayed;
  /** Called first, if the log begins with a snapshot, with the privacy costs of the rounds before it. */
  readonly onAccounted?: (rounds: readonly AccountedRound[]) => void;
}

type OnReplayed = (
  event: FederationEvent,
  reduced: {
    readonly before: FederationState;
    readonly after: FederationState;
    readonly effects: readonly FederationEffect[];
  },
) => void;

/**
 * Replays a log. Returns `undefined` for an empty log.
 * @throws {SednaError} `storage-failed` If the log does not begin with its start or a snapshot, or has an
 * unknown record.
 */
export function replayLog(
  records: readonly FederationRecord[],
  { onEvent, onAccounted }: ReplayListener = {},
): Replayed | undefined {
  const [first, ...rest] = records;
  if (!first) return undefined;
  if (first.type !== "started" && first.type !== "snapshot")
    throw new SednaError(`read a federation's log: expected its start; got ${JSON.stringify(first.type)}`, {
      code: "storage-failed",
    });
  let state =
    first.type === "started"
      ? initialFederation(first.settings, { seed: first.seed, at: first.at })
      : first.state;
  if (first.type === "snapshot") onAccounted?.(first.accounted);
  let { at, plan } = first;
  let sum: SumCheckpoint | undefined;
  let accepted: (FederationEvent & { readonly type: "accepted" })[] = [];
  const models = new Map(
    (first.type === "started" ? [first.model] : first.models).map((model) => [model.version, model]),
  );

  const reduce = (event: FederationEvent): void => {
    const before = state;
    const { state: after, effects } = reduceFederation(before, event);
    state = after;
    at = Math.max(at, event.at);
    if (
      event.type === "accepted" &&
      before.open &&
      before.open.accepted.size < (after.open ?? before.open).accepted.size
    )
      accepted.push(event);
    if (event.type === "summed" && after.open?.closing && !before.open?.closing) {
      const weight = event.totalWeight / event.clients.length;
      accepted.push(
        ...event.clients.map((client) => ({
          type: "accepted" as const,
          at: event.at,
          client,
          round: event.round,
          modelVersion: after.modelVersion,
          weight,
          bytes: 0,
          digest: "",
        })),
      );
    }
    // A round that is abandoned and opened again keeps only its number.
    if (effects.some(({ type }) => type === "open") || !after.open) {
      accepted = [];
      sum = undefined;
    }
    onEvent?.(event, { before, after, effects });
  };

  for (const record of rest) {
    switch (record.type) {
      case "events":
        for (const event of record.events) reduce(event);
        // The checkpoint was taken after these events.
        if (record.sum) sum = state.open ? record.sum : undefined;
        break;
      case "aggregated":
        models.set(record.model.version, record.model);
        reduce(record.event);
        break;
      case "settings":
        state = applySettings(state, record.settings);
        plan = record.plan ?? plan;
        break;
      case "started":
      case "snapshot":
        throw new SednaError("read a federation's log: expected one start; got two", {
          code: "storage-failed",
        });
      default:
        throw new SednaError(
          `read a federation's log: expected a record that this version knows; got ${JSON.stringify((record as { readonly type?: unknown }).type)}`,
          { code: "storage-failed" },
        );
    }
  }
  return { state, name: first.name, length: first.length, models, sum, accepted, plan, at };
}
