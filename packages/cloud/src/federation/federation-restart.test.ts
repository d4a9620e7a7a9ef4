import { mergeFederationOptions } from "../../../../testing/fakes/merge-federation-options.ts";
import { aggregation } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { createFederation } from "./create-federation.ts";
import {
  closed,
  join,
  keepingMean,
  message,
  mortalLog,
  plainMean,
  send,
  type MortalLog,
} from "./federation-fixture.suite.ts";
import type { Federation } from "./federation.ts";
import type { Member } from "./sessions/member.ts";
import type { FederationOptions } from "./federation-options.ts";
import { anonymousSessions } from "./sessions/anonymous-sessions.ts";
import { recomputeModel } from "./rounds/recompute-model.ts";

const opened = async (options: Partial<FederationOptions>): Promise<Federation> => {
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { layout: [{ name: "w", shape: [4] }] },
        aggregator: plainMean,
        runtime: { seed: 1 },
      },
      options,
    ),
  );
  await federation.start();
  return federation;
};

describe("a federation whose process crashed", () => {
  it("C20: keeps the checkpoint that its log names while it writes the next one", async () => {
    const disk = mortalLog();
    const options = { rounds: { participants: 3, overSelect: 1 }, storage: { checkpoint: { updates: 1 } } };
    const update = (value: number) => ({ bytes: message([value, 0, 0, 0], { round: 1 }), round: 1 });
    const first = await opened(mergeFederationOptions(options, { storage: { log: await disk.next() } }));
    const [a, b, c] = join(first, ["a", "b", "c"]);
    await send(first, { member: a!, ...update(1) });
    await expect.poll(() => disk.appended("accepted")).toBe(1);

    // The new checkpoint is on the disk, but the record that names it is not.
    const second = await opened(mergeFederationOptions(options, { storage: { log: await disk.next() } }));
    const died = disk.dieAt("append");
    await send(second, { member: b!, ...update(9) });
    await died;

    const third = await opened(mergeFederationOptions(options, { storage: { log: await disk.next() } }));
    expect(third.task(b!)).toMatchObject({ accepted: false });
    const over = closed(third);
    await send(third, { member: b!, ...update(9) });
    await send(third, { member: c!, ...update(2) });
    await over;
    expect(third.model(1)!.parameters[0]).toBeCloseTo(4, 5);
    await third.close();
  });

  it("restores updates that a buffer accepted from an earlier round", async () => {
    const disk = mortalLog();
    const options = {
      aggregator: keepingMean,
      rounds: { numRounds: 0, participants: 2, buffered: { bufferSize: 2, maxStaleness: 5, concurrency: 4 } },
      storage: { keepUpdates: true, checkpoint: { updates: 1 } },
    };
    const log = await disk.next();
    const first = await opened(mergeFederationOptions(options, { storage: { log } }));
    const members = join(first, ["a", "b", "c", "d"]);
    const update = (values: number[], round: number) => ({ bytes: message(values, { round }), round });
    let over = closed(first);
    for (const member of members.slice(0, 2)) await send(first, { member, ...update([1, 0, 0, 0], 1) });
    await over;
    await send(first, { member: members[3]!, ...update([7, 0, 0, 0], 1) });
    await expect.poll(() => disk.appended("accepted")).toBe(3);

    const again = await disk.next();
    const second = await opened(mergeFederationOptions(options, { storage: { log: again } }));
    over = closed(second);
    await send(second, { member: members[2]!, ...update([3, 0, 0, 0], 1) });
    await over;
    expect([...second.model(2)!.parameters]).toEqual([6, 0, 0, 0]);
    expect([...(await recomputeModel(again, { aggregator: keepingMean }))]).toEqual([6, 0, 0, 0]);
    await second.close();
  });

  it("C15: closes its rounds and accepts its clients after the clock was set back by years", async () => {
    const disk = mortalLog();
    const options = {
      rounds: { participants: 2, numRounds: 0, minFraction: 0.5, selectionMs: 10, deadlineMs: 200 },
    };
    const ahead = 9 * 365 * 86_400_000;
    const device = { protocol: 1, device: "a", numSamples: 10, resources: {} } as const;
    const enter = async (federation: Federation, now: () => number): Promise<Member> => {
      const member = await anonymousSessions({ now }).grant(device, { after: federation.epochOf("a") });
      federation.join({ ...member, kind: "sedna-js", numSamples: 10, resources: {} });
      return member;
    };
    const first = await opened(
      mergeFederationOptions(options, {
        storage: { log: await disk.next() },
        runtime: { now: () => Date.now() + ahead },
      }),
    );
    await enter(first, () => Date.now() + ahead);
    await expect.poll(() => first.status().state).toBe("running");

    const second = await opened(mergeFederationOptions(options, { storage: { log: await disk.next() } }));
    const member = await enter(second, Date.now);
    const over = closed(second);
    await send(second, { member, bytes: message([1, 0, 0, 0], { round: 1 }), round: 1 });
    expect(await over).toMatchObject({ round: 1, outcome: "aggregated" });
    await second.close();
  });

  describe("with changed settings", () => {
    const restarted = async (
      before: Partial<FederationOptions>,
      {
        work,
        after,
      }: {
        readonly work: (federation: Federation, disk: MortalLog) => Promise<void>;
        readonly after: Partial<FederationOptions>;
      },
    ): Promise<Federation> => {
      const disk = mortalLog();
      await work(
        await opened(
          mergeFederationOptions(before, { storage: { checkpoint: { updates: 1 }, log: await disk.next() } }),
        ),
        disk,
      );
      return opened(mergeFederationOptions(after, { storage: { log: await disk.next() } }));
    };
    const update = (round = 1) => ({ bytes: message([1, 0, 0, 0], { round }), round });

    it("releases the clients that trained for a buffer if rounds are no longer buffered", async () => {
      const work = async (first: Federation, disk: MortalLog): Promise<void> => {
        join(first, ["a", "b", "c"]);
        await expect.poll(() => disk.appended("joined")).toBe(3);
      };
      const federation = await restarted(
        { rounds: { numRounds: 0, buffered: { bufferSize: 3, maxStaleness: 2, concurrency: 2 } } },
        { work, after: { rounds: { numRounds: 0, participants: 3, overSelect: 1, deadlineMs: 100 } } },
      );
      const over = closed(federation);
      expect(await over).toMatchObject({ outcome: "abandoned" });
      for (const client of ["a", "b", "c"]) {
        federation.join({ client, epoch: 2, kind: "sedna-js", numSamples: 10, resources: {} });
        expect(federation.task({ client, epoch: 2 })).toMatchObject({
          kind: "train",
          round: 1,
          remainingMs: expect.toSatisfy((left: number) => left > 0),
        });
      }
      await federation.close();
    });
    it("closes the active round if it already has enough updates", async () => {
      const work = async (first: Federation, disk: MortalLog): Promise<void> => {
        for (const member of join(first, ["a", "b", "c", "d", "e", "f", "g"]).slice(0, 5))
          await send(first, { member, ...update() });
        await expect.poll(() => disk.appended("accepted")).toBe(5);
      };
      const rule = aggregation.Median();
      const federation = await restarted(
        { aggregator: rule, rounds: { numRounds: 0, participants: 7, overSelect: 1 } },
        { work, after: { aggregator: rule, rounds: { numRounds: 0, participants: 3 } } },
      );
      await expect
        .poll(() => federation.status())
        .toMatchObject({ modelVersion: 1, history: [{ accepted: 5 }] });
      await federation.close();
    });
    it("continues if it is no longer done", async () => {
      const work = async (first: Federation): Promise<void> => {
        const [member] = join(first, ["a"]);
        const over = closed(first);
        await send(first, { member: member!, ...update() });
        await over;
        await first.close();
      };
      const federation = await restarted(
        { rounds: { numRounds: 1 } },
        { work, after: { rounds: { numRounds: 2 } } },
      );
      expect(federation.task({ client: "a", epoch: 1 })).toMatchObject({ kind: "train", round: 2 });
      await federation.close();
    });
    it("abandons the active round and starts it again if an accepted update exceeds the new limits", async () => {
      const work = async (first: Federation, disk: MortalLog): Promise<void> => {
        await send(first, { member: join(first, ["a", "b", "c"])[0]!, ...update() });
        await expect.poll(() => disk.appended("accepted")).toBe(1);
      };
      const rule = aggregation.Median();
      const federation = await restarted(
        { aggregator: rule, rounds: { participants: 3 } },
        { work, after: { aggregator: rule, limits: { maxNumSamples: 5 }, rounds: { participants: 3 } } },
      );
      expect(federation.status()).toMatchObject({
        round: 0,
        history: [{ outcome: "abandoned", accepted: 1 }],
      });
      await federation.close();
    });
    it("asks clients that know the old plan to join again, and records no strike", async () => {
      const federation = await restarted(
        { rounds: { participants: 2 } },
        {
          work: async (first) => void join(first, ["a"]),
          after: { uploads: { encoding: "int8" }, rounds: { participants: 2 } },
        },
      );
      const member = { client: "a", epoch: 1 };
      await expect(send(federation, { member, ...update() })).rejects.toMatchObject({
        code: "session-ended",
      });
      federation.join({ ...member, epoch: 2, kind: "sedna-js", numSamples: 10, resources: {} });
      expect(federation.task({ ...member, epoch: 2 })).toBeDefined();
      expect(federation.status().clients).toMatchObject([{ strikes: 0 }]);
      await federation.close();
    });
  });
});
