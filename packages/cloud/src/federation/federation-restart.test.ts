import { describe, expect, it } from "vitest";
import { createFederation } from "./create-federation.ts";
import { closed, join, keepingMean, message, mortalLog, plainMean, send } from "./federation-fixture.suite.ts";
import type { Federation, Member } from "./federation.ts";
import type { FederationOptions } from "./federation-options.ts";
import { openSessions } from "./open-sessions.ts";
import { recomputeModel } from "./recompute-model.ts";

const opened = async (options: Partial<FederationOptions>): Promise<Federation> => {
  const federation = createFederation({ name: "digits", layout: [{ name: "w", shape: [4] }], aggregator: plainMean, seed: 1, ...options });
  await federation.start();
  return federation;
};

describe("a federation whose process died", () => {
  it("C20: keeps the sum that its log tells of while it writes the next one", async () => {
    const disk = mortalLog();
    const options = { rounds: { participants: 3, overSelect: 1 }, checkpoint: { updates: 1 } };
    const update = (value: number) => ({ bytes: message([value, 0, 0, 0], { round: 1 }), round: 1 });
    const first = await opened({ ...options, log: await disk.next() });
    const [a, b, c] = join(first, ["a", "b", "c"]);
    await send(first, { member: a!, ...update(1) });
    await expect.poll(() => disk.appended("counted")).toBe(1);

    // Its sum is on the disk, the line that tells of it is not.
    const second = await opened({ ...options, log: await disk.next() });
    const died = disk.dieAt("append");
    await send(second, { member: b!, ...update(9) });
    await died;

    const third = await opened({ ...options, log: await disk.next() });
    expect(third.task(b!)).toMatchObject({ counted: false });
    const over = closed(third);
    await send(third, { member: b!, ...update(9) });
    await send(third, { member: c!, ...update(2) });
    await over;
    expect(third.model(1)!.parameters[0]).toBeCloseTo(4, 5);
    await third.close();
  });

  it("finds the updates that a buffer took from an earlier round", async () => {
    const disk = mortalLog();
    const options = { aggregator: keepingMean, keepUpdates: true, rounds: { exitRound: 0, participants: 2, buffered: { bufferSize: 2, maxStaleness: 5, concurrency: 4 } }, checkpoint: { updates: 1 } };
    const log = await disk.next();
    const first = await opened({ ...options, log });
    const members = join(first, ["a", "b", "c", "d"]);
    const update = (values: number[], round: number) => ({ bytes: message(values, { round }), round });
    let over = closed(first);
    for (const member of members.slice(0, 2)) await send(first, { member, ...update([1, 0, 0, 0], 1) });
    await over;
    await send(first, { member: members[3]!, ...update([7, 0, 0, 0], 1) });
    await expect.poll(() => disk.appended("counted")).toBe(3);

    const again = await disk.next();
    const second = await opened({ ...options, log: again });
    over = closed(second);
    await send(second, { member: members[2]!, ...update([3, 0, 0, 0], 1) });
    await over;
    expect([...second.model(2)!.parameters]).toEqual([6, 0, 0, 0]);
    expect([...(await recomputeModel(again, { aggregator: keepingMean }))]).toEqual([6, 0, 0, 0]);
    await second.close();
  });

  it("C23: ends its rounds and lets its clients in when the clock was put back by years meanwhile", async () => {
    const disk = mortalLog();
    const options = { rounds: { participants: 2, exitRound: 0, minFraction: 0.5, selectionMs: 10, deadlineMs: 200 } };
    const ahead = 9 * 365 * 86_400_000;
    const device = { protocol: 1, device: "a", numSamples: 10, resources: {} } as const;
    const enter = async (federation: Federation, now: () => number): Promise<Member> => {
      const member = await openSessions({ now }).grant(device, { after: federation.epochOf("a") });
      federation.join({ ...member, kind: "sedna-js", numSamples: 10, resources: {} });
      return member;
    };
    const first = await opened({ ...options, log: await disk.next(), now: () => Date.now() + ahead });
    await enter(first, () => Date.now() + ahead);
    await expect.poll(() => first.status().state).toBe("running");

    const second = await opened({ ...options, log: await disk.next() });
    const member = await enter(second, Date.now);
    const over = closed(second);
    await send(second, { member, bytes: message([1, 0, 0, 0], { round: 1 }), round: 1 });
    expect(await over).toMatchObject({ round: 1, outcome: "aggregated" });
    await second.close();
  });
});
