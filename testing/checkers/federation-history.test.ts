import { describe, expect, it } from "vitest";
import fc from "fast-check";
import {
  getClient,
  nextTick,
  reduceFederation,
  roundSettings,
  initialFederation,
  taskFor,
  type FederationEvent,
  type FederationState,
  type RoundSettings,
} from "@sedna-js/core/federation";
import { federationViolations } from "./federation-history.ts";

/**
 * Few clients, so that their events interact; names that every object inherits, and numbers, which objects
 * sort.
 */
const clients = ["a", "b", "__proto__", "constructor", "7", "3", ""];
const client = fc.constantFrom(...clients);
const round = fc.integer({ min: 0, max: 6 });
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("joined"),
      client,
      kind: fc.constantFrom("sedna-js", "sedna-js", "sedna-v1"),
      epoch: fc.integer({ min: 1, max: 3 }),
      numSamples: fc.integer({ min: 0, max: 5 }),
      resources: fc.constant({}),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("left"), client, epoch: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("accepted"),
      client,
      round,
      modelVersion: round,
      weight: fc.constantFrom(1, 2.5, 0.1, 0, -1),
      bytes: fc.constant(8),
      digest: fc.constant("d"),
      metrics: fc.constantFrom({ loss: 1 }, {}, { loss: 2, accuracy: 0.5 }),
    }),
  },
  /** An update of the client for its current task. */
  { weight: 12, arbitrary: fc.record({ type: fc.constant("done"), client }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("rejected"),
      client,
      round,
      code: fc.constantFrom("not-finite", "wrong-shape", "wrong-round"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("ticked") }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom("aggregated", "failed"), round, modelVersion: round }),
  },
  /** The aggregator's report after an effect: the model was made, or aggregation failed. */
  { weight: 5, arbitrary: fc.record({ type: fc.constantFrom("made", "made", "made", "unmade") }) },
);
const steps = fc.array(fc.tuple(event, fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 1, 40, 900, 4000, -500)), {
  minLength: 1,
  maxLength: 80,
  size: "max",
});
const settings = fc
  .record({
    numRounds: fc.constantFrom(0, 2, 5),
    participants: fc.integer({ min: 1, max: 4 }),
    overSelect: fc.constantFrom(1, 1.3, 2),
    minFraction: fc.constantFrom(0.4, 0.7, 1),
    selectionMs: fc.constantFrom(0, 50),
    deadlineMs: fc.constantFrom(1, 100, 1000, 5000),
    lateJoiners: fc.boolean(),
    strikes: fc.integer({ min: 1, max: 3 }),
    quarantineRounds: fc.integer({ min: 1, max: 3 }),
    selector: fc.constantFrom({ method: "Simple" }, { method: "Random" }, { method: "ByResources" }),
    buffered: fc.constantFrom(undefined, undefined, { bufferSize: 2, maxStaleness: 1, concurrency: 3 }),
  })
  .map(({ buffered, ...rest }) =>
    roundSettings({ ...rest, ...(buffered === undefined ? {} : { buffered }) }),
  );

/** Returns the events of a sequence of steps and the states between them, each deeply frozen. */
function run(
  given: RoundSettings,
  path: readonly (readonly [{ readonly type: string; readonly client?: string }, number])[],
): { events: FederationEvent[]; states: FederationState[] } {
  let at = 1000;
  let state = frozen(initialFederation(given, { seed: 5, at }));
  const events: FederationEvent[] = [];
  const states = [state];
  for (const [step, ms] of path) {
    at += ms;
    const next = frozen({ ...resolved(step, state), at } as FederationEvent);
    state = frozen(reduceFederation(state, next).state);
    events.push(next);
    states.push(state);
  }
  return { events, states };
}

function resolved(step: { readonly type: string; readonly client?: string }, state: FederationState): object {
  const open = state.open?.round ?? 0;
  if (step.type === "made") return { type: "aggregated", round: open, modelVersion: state.modelVersion + 1 };
  if (step.type === "unmade") return { type: "failed", round: open };
  if (step.type !== "done") return step;
  const task = taskFor(state, { client: step.client!, now: 0, seq: 0 });
  return {
    type: "accepted",
    client: step.client,
    round: task.round,
    modelVersion: task.modelVersion,
    weight: 3,
    bytes: 8,
    digest: "d",
  };
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

describe("a federation under any sequence of events", () => {
  it("C20, C21, C22: accepts no update twice, closes each round by its deadline, and replays to the same state from its log", () => {
    let models = 0;
    let abandoned = 0;
    fc.assert(
      fc.property(settings, steps, (given, path) => {
        const { events, states } = run(given, path);
        expect(
          federationViolations({
            settings: given,
            seed: 5,
            at: 1000,
            events,
            isNoise: true,
            state: states.at(-1)!,
          }),
        ).toEqual([]);
        models += states.at(-1)!.round;
        abandoned += states.at(-1)!.history.filter(({ outcome }) => outcome === "abandoned").length;
      }),
      { numRuns: 300, seed: 1 },
    );
    // Otherwise the property would hold for federations in which nothing happens.
    expect(models).toBeGreaterThan(50);
    expect(abandoned).toBeGreaterThan(500);
  }, 60_000);
  it("requests only ticks in the future, and each requested tick changes the state", () => {
    fc.assert(
      fc.property(settings, steps, (given, path) => {
        const { events, states } = run(given, path);
        const [last, state] = [events.at(-1)!, states.at(-1)!];
        const tick = nextTick(state);
        if (tick === undefined) return;
        expect(tick).toBeGreaterThan(last.at);
        expect(reduceFederation(state, { type: "ticked", at: tick - 0.5 }).state).toBe(state);
        expect(reduceFederation(state, { type: "ticked", at: tick }).state).not.toBe(state);
      }),
      { numRuns: 150, seed: 2 },
    );
  }, 60_000);
  it("ignores an event that it has already applied", () => {
    let repeated = 0;
    fc.assert(
      fc.property(settings, steps, (given, path) => {
        const { events, states } = run(given, path);
        for (const [i, one] of events.entries()) {
          const [before, after] = [states[i]!, states[i + 1]!];
          // An update that was too early may be accepted now. An abandoned attempt starts again and accepts
          // the same updates again.
          const isIn =
            one.type === "accepted"
              ? after.open !== undefined &&
                after.open.accepted !== before.open?.accepted &&
                getClient(after.open.accepted, one.client) !== undefined
              : one.type === "left" || (one.type === "aggregated" && after.round > before.round);
          if (!isIn) continue;
          const again = reduceFederation(after, one).state;
          expect([again.round, again.open?.accepted]).toEqual([after.round, after.open?.accepted]);
          repeated++;
        }
      }),
      { numRuns: 200, seed: 3 },
    );
    expect(repeated).toBeGreaterThan(500);
  }, 60_000);
});

describe("federationViolations()", () => {
  const base = { settings: roundSettings({ participants: 2 }), seed: 1, at: 0 };
  const joined = (name: string): FederationEvent => ({
    type: "joined",
    at: 0,
    client: name,
    kind: "sedna-js",
    epoch: 1,
    numSamples: 4,
    resources: {},
  });
  const accepted = (name: string): FederationEvent => ({
    type: "accepted",
    at: 1,
    client: name,
    round: 1,
    modelVersion: 0,
    weight: 4,
    bytes: 1,
    digest: "",
  });
  const events: FederationEvent[] = [
    joined("a"),
    joined("b"),
    accepted("a"),
    accepted("b"),
    { type: "aggregated", at: 2, round: 1, modelVersion: 1 },
  ];
  const good = {
    ...base,
    events,
    receipts: [
      { client: "a", round: 1, accepted: true },
      { client: "a", round: 1, accepted: true, duplicate: true },
    ],
    models: [
      { version: 0 },
      { version: 1, totalWeight: 8, parameters: Float32Array.of(1), recomputed: Float32Array.of(1) },
    ],
  };

  it("reports nothing for a valid history", () => expect(federationViolations(good)).toEqual([]));
  it.each([
    [
      "an update that occurs twice in the log",
      { events: [...events.slice(0, 3), accepted("a"), ...events.slice(3)] },
      "the replayed round does not",
    ],
    [
      "a receipt without an update",
      { receipts: [{ client: "c", round: 1, accepted: true }] },
      "the log has no such update",
    ],
    [
      "two receipts of one update",
      { receipts: [good.receipts[0]!, good.receipts[0]!] },
      "was reported 2 times",
    ],
    [
      "an aggregator in another state",
      { state: initialFederation(base.settings, base) },
      "another state than its log gives",
    ],
    [
      "a model with more weight than was accepted",
      { models: [{ version: 1, totalWeight: 12 }] },
      "2: model 1 has weight 12, its accepted updates 8",
    ],
    ["a model without a round", { models: [{ version: 2 }] }, "no round of the log made model 2"],
    ["models out of order", { models: [{ version: 1 }, { version: 1 }] }, "model 1 is followed by 1"],
    [
      "a model that differs from its log",
      { models: [{ version: 1, parameters: Float32Array.of(1), recomputed: Float32Array.of(1.00001) }] },
      "4: model 1",
    ],
    [
      "a model with NaN",
      { models: [{ version: 1, parameters: Float32Array.of(Number.NaN), recomputed: Float32Array.of(1) }] },
      "4: model 1 has NaN",
    ],
  ])("finds %s", (_, change, sentence) =>
    expect(federationViolations({ ...good, ...change }).join("\n")).toContain(sentence),
  );
});
