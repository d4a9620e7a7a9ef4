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

/** Where a log leaves off. */
export interface Replayed {
  readonly state: FederationState;
  readonly name: string;
  readonly length: number;
  /** Models that were made, by version, the first included. */
  readonly models: ReadonlyMap<number, ModelRecord>;
  /** The open round's sum as it was last written. */
  readonly sum: SumCheckpoint | undefined;
  /** Updates of the open round in the order in which they were counted. */
  readonly accepted: readonly (FederationEvent & { readonly type: "accepted" })[];
  /** What clients were told last that they are to do. */
  readonly plan: FederationPlan | undefined;
  /** When the last event was. */
  readonly at: number;
}

/** Told of what is replayed. */
export interface ReplayListener {
  /** Each event and what it led to. */
  readonly onEvent?: OnReplayed;
  /** Comes first, of a log that was begun anew: what the rounds before cost. */
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
 * Goes through a log. Undefined for an empty one.
 * @throws {SednaError} `storage-failed` on a log that does not begin with its start.
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
    // A round that is given up and opened anew has the same number, and nothing else of the former.
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
        // It was sealed behind its events.
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
