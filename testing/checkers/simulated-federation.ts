// A federation of clients with simulated behavior, in simulated time.
import {
  checkUpload,
  nextTick,
  reduceFederation,
  roundSettings,
  initialFederation,
  taskFor,
  type FederationEffect,
  type FederationEvent,
  type FederationState,
  type RoundSettings,
} from "@sedna-js/core/federation";
import { simulatedClock } from "../fakes/simulated-clock.ts";

/**
 * A client's turn: its update arrives after `afterMs`, or the client leaves after `afterMs` and rejoins
 * `backAfterMs` later.
 */
export type Turn =
  | { readonly kind: "answers"; readonly afterMs: number }
  | { readonly kind: "leaves"; readonly afterMs: number; readonly backAfterMs: number };

/** See {@link simulatedFederation}. */
export interface SimulatedFederation {
  readonly state: FederationState;
  readonly events: readonly FederationEvent[];
  readonly effects: readonly (FederationEffect & { readonly at: number })[];
  /** Number of updates that were rejected, such as late ones. */
  readonly lost: number;
  join(client: string): void;
  leave(client: string): void;
  /** Runs until the given time or the end of the federation. */
  run(until: number): Promise<void>;
}

/**
 * Creates a federation. `turn` returns a client's turn for a round; `aggregationMs` is the time that
 * aggregation takes.
 */
export function simulatedFederation(
  settings: Partial<RoundSettings>,
  {
    seed,
    turn,
    aggregationMs = 500,
  }: {
    readonly seed: number;
    readonly turn: (client: string, round: number) => Turn;
    readonly aggregationMs?: number;
  },
): SimulatedFederation {
  const clock = simulatedClock();
  const events: FederationEvent[] = [];
  const effects: (FederationEffect & { at: number })[] = [];
  const epochs = new Map<string, number>();
  /** The attempt that each client works on. A task of another attempt starts again. */
  const working = new Map<string, string>();
  let state = initialFederation(roundSettings(settings), { seed, at: 0 });
  let timer: unknown;
  let lost = 0;
  let attempt = 0;

  const reduce = (event: FederationEvent): void => {
    events.push(event);
    const reduced = reduceFederation(state, event);
    state = reduced.state;
    for (const effect of reduced.effects) {
      effects.push({ ...effect, at: clock.now() });
      if (effect.type === "open") attempt++;
      if (effect.type === "aggregate")
        clock.setTimeout(
          () =>
            reduce({
              type: "aggregated",
              at: clock.now(),
              round: effect.round,
              modelVersion: state.modelVersion + 1,
            }),
          aggregationMs,
        );
      if (effect.type === "open") for (const client of effect.clients) begin(client);
    }
    clock.clearTimeout(timer);
    const tick = nextTick(state);
    if (tick !== undefined)
      timer = clock.setTimeout(() => reduce({ type: "ticked", at: clock.now() }), tick - clock.now());
  };
  const begin = (client: string): void => {
    const task = taskFor(state, { client, now: clock.now(), seq: 0 });
    if (task.kind !== "train" || task.accepted || working.get(client) === `${attempt}`) return;
    working.set(client, `${attempt}`);
    const epoch = epochs.get(client)!;
    const what = turn(client, task.round);
    clock.setTimeout(() => {
      if (what.kind === "leaves") {
        leave(client);
        clock.setTimeout(() => join(client), what.backAfterMs);
        return;
      }
      const at = clock.now();
      const rejection = checkUpload(state, {
        client,
        epoch,
        round: task.round,
        modelVersion: task.modelVersion,
      });
      if (rejection === undefined)
        reduce({
          type: "accepted",
          at,
          client,
          round: task.round,
          modelVersion: task.modelVersion,
          weight: 1,
          bytes: 4,
          digest: client,
        });
      else lost++;
    }, what.afterMs);
  };
  const join = (client: string): void => {
    const epoch = (epochs.get(client) ?? 0) + 1;
    epochs.set(client, epoch);
    working.delete(client);
    reduce({
      type: "joined",
      at: clock.now(),
      client,
      kind: "sedna-js",
      epoch,
      numSamples: 1,
      resources: {},
    });
    begin(client);
  };
  const leave = (client: string): void =>
    reduce({ type: "left", at: clock.now(), client, epoch: epochs.get(client)! });

  return {
    get state() {
      return state;
    },
    events,
    effects,
    get lost() {
      return lost;
    },
    join,
    leave,
    run: (until) => clock.run({ until, isBusy: () => false, isDone: () => state.phase === "done" }),
  };
}
