import { describe, expect, it } from "vitest";
import {
  countingEstimator,
  fourParameters,
  fakeFederation,
  someSamples,
  readableEncoder,
} from "../../../../testing/fakes/fake-federation.ts";
import { SednaError } from "../errors.ts";
import { createFederatedLearning, type FederatedLearning } from "./create-federated-learning.ts";
import { untilResumed, type TrainingPauses } from "../training/training-pauses.ts";
import type { FederatedEvent } from "./federated-event.ts";

const immediately = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const names = (events: readonly FederatedEvent[]): string[] => events.map(({ type }) => type);

function client(
  federation: ReturnType<typeof fakeFederation>,
  { device = "one", ...options }: Partial<Parameters<typeof createFederatedLearning<number, number>>[0]> = {},
) {
  const estimator = (options.estimator ?? countingEstimator()) as ReturnType<typeof countingEstimator>;
  const encoder = readableEncoder();
  const learning = createFederatedLearning<number, number>({
    transport: federation.transport(device),
    device,
    encoder: () => encoder,
    random: () => 0.5,
    wait: immediately,
    ...options,
    estimator,
  });
  return { estimator, encoder, learning };
}

/** Runs to the end and returns all events. Calls `see` with each event before reading the next. */
async function all(
  learning: FederatedLearning<number>,
  {
    see,
    signal,
  }: { readonly see?: (event: FederatedEvent) => void | Promise<void>; readonly signal?: AbortSignal } = {},
): Promise<FederatedEvent[]> {
  const events: FederatedEvent[] = [];
  for await (const event of learning.run(someSamples(10), signal && { signal })) {
    events.push(event);
    await see?.(event);
  }
  return events;
}

describe("createFederatedLearning()", () => {
  it("joins, trains in each round, and ends with the final model", async () => {
    const federation = fakeFederation();
    const { estimator, encoder, learning } = client(federation);
    const events = await all(learning);

    expect(names(events).filter((name) => name !== "training")).toEqual([
      "joined",
      "trained",
      "sent",
      "accepted",
      "round",
      "trained",
      "sent",
      "accepted",
      "round",
      "trained",
      "sent",
      "accepted",
      "round",
      "done",
    ]);
    expect(events.at(-1)).toEqual({ type: "done", round: 3, modelVersion: 3 });
    expect((await estimator.getWeights()).map(({ data }) => [...(data as Float32Array)])).toEqual([
      [6, 6, 6],
      [6],
    ]);
    expect(estimator.trainings).toBe(3);
    expect([...encoder.commits.values()]).toEqual([1, 1, 1]);
    expect(learning.status()).toMatchObject({
      state: "done",
      round: 3,
      modelVersion: 3,
      accepted: 3,
      missed: 0,
    });
    expect(federation.sessions.size, "the client has left").toBe(0);
  });

  it("reports the number of samples and the training metrics", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, maxNumSamples: 7, numRounds: 1 } });
    await all(client(federation).learning);
    expect(JSON.parse(federation.received[0]!.text)).toMatchObject({
      round: 1,
      modelVersion: 0,
      numSamples: 7,
      metrics: { loss: 0.5, accuracy: 0.75 },
    });
  });

  it("C20: sends the identical update again, without training again, if the aggregator lost it in a restart", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2, numRounds: 1 } });
    const { estimator, encoder, learning } = client(federation);
    let restarts = 0;
    const events = await all(learning, {
      see: (event) => {
        if (event.type === "accepted" && restarts++ < 2) federation.restart({ losing: true });
        else if (event.type === "accepted") federation.closeRound();
      },
    });
    expect(events.filter(({ type }) => type === "accepted")).toEqual(
      [false, true, true].map((again) => ({ type: "accepted", round: 1, again })),
    );
    expect(estimator.trainings).toBe(1);
    expect(new Set(federation.received.map(({ text }) => text)).size).toBe(1);
    expect([...encoder.commits.values()]).toEqual([1]);
    expect(learning.status().accepted).toBe(1);
  });

  it("C20: does not train again when it rejoins a round that has accepted its update", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2, numRounds: 1 } });
    const first = client(federation);
    for await (const event of first.learning.run(someSamples(10))) if (event.type === "accepted") break;
    const second = client(federation);
    const events: FederatedEvent[] = [];
    for await (const event of second.learning.run(someSamples(10))) {
      events.push(event);
      if (event.type === "joined") setImmediate(() => federation.closeRound());
    }
    expect(names(events)).toEqual(["joined", "round", "done"]);
    expect(second.estimator.trainings).toBe(0);
  });

  it("C21: stops training as soon as the next round starts, and misses only that round", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, numRounds: 2 } });
    const entered: (() => void)[] = [];
    const estimator = countingEstimator({
      onEpoch: async (signal) => {
        if (entered.length > 0) return;
        // Hangs until it is aborted.
        await new Promise<void>((resolve) => {
          entered.push(resolve);
          signal!.addEventListener("abort", () => resolve(), { once: true });
          setImmediate(() => federation.closeRound());
        });
      },
    });
    const { learning } = client(federation, { estimator });
    const events = await all(learning);
    expect(events.filter(({ type }) => type === "missed")).toMatchObject([{ round: 1, why: "superseded" }]);
    expect(events.filter(({ type }) => type === "accepted")).toMatchObject([{ round: 2 }]);
    expect(estimator.busy, "never two trainings at once").toBe(1);
  });

  it("reports a rejected update as a missed round, not as a failure", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, numRounds: 2 } });
    federation.refuse("one", { error: "expected a smaller norm", code: "norm-too-large", round: 1 });
    const { learning, encoder } = client(federation);
    const events = await all(learning, {
      see: (event) => {
        if (event.type !== "missed") return;
        federation.refuse("one", undefined);
        federation.closeRound();
      },
    });
    expect(events.filter(({ type }) => type === "missed")).toEqual([
      { type: "missed", round: 1, why: "norm-too-large", message: "expected a smaller norm" },
    ]);
    expect(federation.received.length).toBe(2);
    expect(
      [...encoder.commits.keys()].map((message) => (JSON.parse(message) as { round: number }).round),
      "a rejected update leaves no residual",
    ).toEqual([2]);
  });

  it("C21: sends the same update to the next attempt of a round if it was too late for the first", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, numRounds: 1 } });
    federation.refuse("one", { error: "the round is closing", code: "round-closed", round: 1 });
    const { estimator, learning } = client(federation);
    const events = await all(learning, {
      see: (event) => {
        if (event.type !== "missed") return;
        federation.refuse("one", undefined);
        // The client receives only a task with another `seq`.
        federation.restart({ losing: true });
      },
    });
    expect(names(events).filter((name) => name === "missed" || name === "accepted")).toEqual([
      "missed",
      "accepted",
    ]);
    expect(estimator.trainings).toBe(1);
    expect(new Set(federation.received.map(({ text }) => text)).size).toBe(1);
  });

  it("joins again after its session has ended", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2, numRounds: 1 } });
    const { estimator, learning } = client(federation);
    let joined = 0;
    const events = await all(learning, {
      see: (event) => {
        if (event.type === "joined" && joined++ === 0) federation.endSession("one");
        if (event.type === "accepted") federation.closeRound();
      },
    });
    expect(names(events).filter((name) => name === "joined").length).toBe(2);
    expect(estimator.trainings).toBe(1);
  });

  it("joins again if only the upload reports that the session has ended", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2, numRounds: 1 } });
    const { estimator, learning } = client(federation);
    let ended = false;
    const events = await all(learning, {
      see: (event) => {
        if (event.type === "training" && !ended) {
          ended = true;
          federation.endSession("one", { silently: true });
        }
        if (event.type === "accepted") federation.closeRound();
      },
    });
    expect(names(events).filter((name) => name === "joined").length).toBe(2);
    expect(estimator.trainings).toBe(1);
    expect(federation.received.length).toBe(1);
  });

  it("C23: stops if another client takes part as the same device, and does not end the session of that client", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2 } });
    const first = client(federation);
    const second = client(federation);
    const other = second.learning.run(someSamples(10))[Symbol.asyncIterator]();
    const taken = all(first.learning, {
      see: async (event) => void (event.type === "accepted" && (await other.next())),
    });
    await expect(taken).rejects.toMatchObject({ code: "session-replaced" });
    expect(first.learning.status().state).toBe("failed");
    expect(federation.sessions.has("one"), "the other client's session remains").toBe(true);
    await second.learning.dispose();
    await expect(async () => {
      while (!(await other.next()).done);
    }).rejects.toMatchObject({ code: "disposed" });
  });

  it("rejects a plan whose tensors do not match the estimator's, and names the first mismatch", async () => {
    const federation = fakeFederation({
      plan: {
        ...fourParameters,
        layout: [
          { name: "weight", shape: [1, 3] },
          { name: "output.bias", shape: [2] },
        ],
      },
    });
    await expect(all(client(federation).learning)).rejects.toThrow(
      "expected output.bias as float32 [2], as in its plan; got float32 [1] from the estimator",
    );
  });

  it("rejects with the reason of its signal, leaves the federation, and can run again", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2 } });
    const { learning } = client(federation);
    const stop = new AbortController();
    const why = new Error("enough");
    await expect(
      all(learning, {
        signal: stop.signal,
        see: (event) => void (event.type === "accepted" && stop.abort(why)),
      }),
    ).rejects.toBe(why);
    expect(federation.sessions.size).toBe(0);
    for await (const event of learning.run(someSamples(10))) if (event.type === "joined") break;
    expect(federation.sessions.size).toBe(0);
  });

  it("allows one run at a time, and none after dispose()", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2 } });
    const { learning } = client(federation);
    const first = learning.run(someSamples(10))[Symbol.asyncIterator]();
    await first.next();
    await expect(all(learning)).rejects.toThrow(TypeError);
    await learning.dispose();
    await learning.dispose();
    await expect(all(learning)).rejects.toMatchObject({ code: "disposed" });
    await expect(async () => {
      while (!(await first.next()).done);
    }).rejects.toMatchObject({ code: "disposed" });
  });

  it("starts no training while paused, passes the pauses to the estimator, and emits pause events", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, numRounds: 1 } });
    const listeners = new Set<() => void>();
    const now = { paused: true };
    const set = (paused: boolean): void => {
      now.paused = paused;
      for (const listener of listeners) listener();
    };
    const pauses: TrainingPauses = {
      get paused() {
        return now.paused;
      },
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    let epochs = 0;
    const estimator = countingEstimator({
      onEpoch: async (signal) => {
        if (epochs++ > 0) return;
        set(true);
        await untilResumed(pauses, signal);
      },
    });
    const { learning } = client(federation, { estimator, pauses });
    const events = await all(learning, {
      see: (event) => {
        if (event.type !== "paused") return;
        expect(learning.status().state).toBe("paused");
        expect(estimator.trainings).toBe(epochs);
        setImmediate(() => set(false));
      },
    });
    expect(names(events).filter((name) => name === "paused" || name === "resumed")).toEqual([
      "paused",
      "resumed",
      "paused",
      "resumed",
    ]);
    expect(estimator.trainings).toBe(1);
    expect(federation.received.length).toBe(1);
    expect(listeners.size, "no listener is left").toBe(0);
  });

  it("waits with full jitter while the aggregator is unreachable, and at least as long as retryAfterMs", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, numRounds: 1 } });
    const transport = federation.transport("one");
    const waits: number[] = [];
    let tries = 0;
    const { learning } = client(federation, {
      transport: {
        ...transport,
        join: async (request, options) => {
          tries++;
          if (tries <= 3)
            throw new SednaError("join: the connection failed", {
              code: "cloud-unreachable",
              retryable: true,
            });
          if (tries === 4)
            throw new SednaError("join: expected success; got 503", {
              code: "cloud-busy",
              retryable: true,
              retryAfterMs: 9000,
            });
          return transport.join(request, options);
        },
      },
      wait: async (ms) => void waits.push(ms),
    });
    const events = await all(learning);
    expect(waits.slice(0, 4)).toEqual([500, 1000, 2000, 9500]);
    expect(events.filter(({ type }) => type === "retrying").length).toBe(4);
  });

  it("reports a failed training and continues with the next round", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, numRounds: 2 } });
    let failed = false;
    const estimator = countingEstimator({
      onEpoch: async () => {
        if (failed) return;
        failed = true;
        throw new Error("the loss is NaN");
      },
    });
    const { learning } = client(federation, { estimator });
    const events = await all(learning, {
      see: (event) => void (event.type === "missed" && federation.closeRound()),
    });
    expect(events.filter(({ type }) => type === "missed")).toMatchObject([
      { round: 1, why: "training-failed" },
    ]);
    expect(events.filter(({ type }) => type === "accepted")).toMatchObject([{ round: 2 }]);
  });
});
