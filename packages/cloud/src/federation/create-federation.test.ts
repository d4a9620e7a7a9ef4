import { mergeFederationOptions } from "../../../../testing/fakes/merge-federation-options.ts";
import type { Aggregator } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../../../testing/fakes/manual-clock.ts";
import { createFederation } from "./create-federation.ts";
import { closed, join, message, plainMean, send } from "./federation-fixture.suite.ts";
import type { Federation } from "./federation.ts";
import type { FederationOptions } from "./federation-options.ts";

async function opened(options: Partial<FederationOptions> = {}): Promise<Federation> {
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { layout: [{ name: "w", shape: [4] }] },
        aggregator: plainMean,
        rounds: { participants: 2, numRounds: 2 },
        runtime: { seed: 1 },
      },
      options,
    ),
  );
  await federation.start();
  return federation;
}

describe("a federation", () => {
  it("makes a model from the updates of its clients, round by round, until it is done", async () => {
    const federation = await opened();
    expect(federation.status()).toMatchObject({ state: "waiting", round: 0, modelVersion: 0 });
    const [a, b] = join(federation, ["a", "b"]);
    expect(federation.task(a!)).toMatchObject({ kind: "train", round: 1, modelVersion: 0, accepted: false });
    const first = closed(federation);
    expect(
      await send(federation, {
        member: a!,
        bytes: message([1, 0, 0, 2], { round: 1, numSamples: 10 }),
        round: 1,
      }),
    ).toEqual({ round: 1, accepted: true });
    expect(federation.task(a!)).toMatchObject({ kind: "train", accepted: true });
    expect(
      await send(federation, {
        member: b!,
        bytes: message([4, 3, 0, 2], { round: 1, numSamples: 20 }),
        round: 1,
      }),
    ).toEqual({ round: 1, accepted: true });
    expect(await first).toEqual({
      round: 1,
      modelVersion: 1,
      outcome: "aggregated",
      totalSamples: 30,
      done: false,
    });
    expect([...federation.model(1)!.parameters]).toEqual([3, 2, 0, 2]);
    const second = closed(federation);
    await send(federation, { member: a!, bytes: message([1, 1, 1, 1], { round: 2 }), round: 2 });
    await send(federation, { member: b!, bytes: message([1, 1, 1, 1], { round: 2 }), round: 2 });
    expect(await second).toMatchObject({ round: 2, done: true });
    expect([...federation.model(2)!.parameters]).toEqual([4, 3, 1, 3]);
    expect(federation.task(a!)).toMatchObject({ kind: "done", round: 2, modelVersion: 2 });
    expect(federation.status().history).toHaveLength(2);
    await federation.close();
  });

  it("cannot be created if its rounds select fewer clients than secure aggregation requires", () => {
    const make = (participants: number) => () =>
      createFederation({
        name: "digits",
        model: { layout: [{ name: "w", shape: [4] }] },
        aggregator: plainMean,
        privacy: { secureAggregation: {} },
        rounds: { participants },
      });
    expect(make(2)).toThrow(RangeError);
    expect(make(3)).not.toThrow();
  });

  it("waits if a round has too few clients for secure aggregation, instead of opening the round again forever", async () => {
    const federation = await opened({
      privacy: { secureAggregation: { minClients: 4 } },
      rounds: { participants: 4, overSelect: 1, minFraction: 0.5, selectionMs: 1 },
    });
    let abandoned = 0;
    federation.onRound(() => void abandoned++);
    const over = closed(federation);
    join(federation, ["a", "b"]);
    await over;
    expect(federation.status().state).toBe("waiting");
    expect(abandoned).toBe(1);
    await federation.close();
  });

  it("notifies a client of a free buffer slot when another client has left it", async () => {
    const federation = await opened({
      rounds: { numRounds: 0, buffered: { bufferSize: 2, maxStaleness: 5, concurrency: 1 } },
    });
    const [a, b] = join(federation, ["a", "b"]);
    const told: string[] = [];
    for (const member of [a!, b!])
      federation.onTask(member, (task) => void told.push(`${member.client} ${task.kind}`));
    await send(federation, { member: a!, bytes: message([1, 0, 0, 2], { round: 1 }), round: 1 });
    expect(told.filter((one) => one === "b train")).toHaveLength(1);
    await federation.close();
  });

  it("continues if a round listener throws, and if there is no memory for a round", async () => {
    const clock = manualClock();
    let openings = 0;
    const scarce: Aggregator = {
      ...plainMean,
      createAccumulator(round) {
        if (++openings === 2) throw new RangeError("no memory");
        return plainMean.createAccumulator(round);
      },
    };
    const federation = await opened({
      aggregator: scarce,
      rounds: { numRounds: 3, selectionMs: 10 },
      runtime: { now: clock.now, timers: clock.timers },
    });
    federation.onRound(() => {
      throw new Error("an error of the owner");
    });
    const [a] = join(federation, ["a"]);
    const abandoned = new Promise((resolve) =>
      federation.onRound(({ outcome }) => outcome === "abandoned" && resolve(undefined)),
    );
    await send(federation, { member: a!, bytes: message([1, 0, 0, 0], { round: 1 }), round: 1 });
    await abandoned;
    expect(federation.status()).toMatchObject({ state: "waiting", modelVersion: 1 });
    clock.advance(1000);
    expect(federation.task(a!)).toMatchObject({ kind: "train", round: 2 });
    expect(
      await send(federation, { member: a!, bytes: message([1, 0, 0, 0], { round: 2 }), round: 2 }),
    ).toMatchObject({ accepted: true });
    await federation.close();
  });
});
