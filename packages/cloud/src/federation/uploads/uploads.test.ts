import { mergeFederationOptions } from "../../../../../testing/fakes/merge-federation-options.ts";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../../../../testing/fakes/manual-clock.ts";
import { createFederation } from "../create-federation.ts";
import { join, message, plainMean, send } from "../federation-fixture.suite.ts";
import type { FederationOptions } from "../federation-options.ts";
import type { Federation } from "../federation.ts";

const LENGTH = 1000;
const values = Array.from({ length: LENGTH }, (_, i) => Math.cos(i));
const bytes = message(values, { round: 1 });

async function started(options: Partial<FederationOptions> = {}) {
  const clock = manualClock();
  const federation: Federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { layout: [{ name: "w", shape: [LENGTH] }] },
        aggregator: plainMean,
        rounds: { participants: 20, overSelect: 1, deadlineMs: 600_000 },
        uploads: { maxParallel: 2, maxWaiting: 3 },
        runtime: { seed: 1, now: clock.now, timers: clock.timers },
      },
      options,
    ),
  );
  await federation.start();
  const members = join(
    federation,
    Array.from({ length: 20 }, (_, i) => `c${i}`),
  );
  return { clock, federation, members };
}

/** Creates a body that yields its first part and then waits for `go`. */
function held(part: Uint8Array) {
  let go!: (rest: Uint8Array | Error | undefined) => void;
  const rest = new Promise<Uint8Array | Error | undefined>((resolve) => (go = resolve));
  async function* body(): AsyncGenerator<Uint8Array> {
    yield part;
    const more = await rest;
    if (more instanceof Error) throw more;
    if (more) yield more;
  }
  return { body: body(), go };
}
const all = { round: 1, offset: 0, total: bytes.length };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("uploads", () => {
  it("are limited to the slots in memory; more wait in order, and any beyond that are rejected with a retry delay", async () => {
    const { federation, members } = await started();
    const holds = members.map(() => held(bytes.subarray(0, 100)));
    const outcomes: string[] = [];
    const sent = members
      .slice(0, 5)
      .map((member, i) =>
        federation
          .receive(member, { ...all, body: holds[i]!.body })
          .then(() => void outcomes.push(member.client)),
      );
    await settled();
    expect(federation.stats()).toMatchObject({ taken: 2, waiting: 3 });
    await expect(federation.receive(members[5]!, { ...all, body: holds[5]!.body })).rejects.toMatchObject({
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: expect.any(Number),
    });
    for (let i = 0; i < 5; i++) {
      holds[i]!.go(bytes.subarray(100));
      await sent[i];
    }
    expect(outcomes).toEqual(["c0", "c1", "c2", "c3", "c4"]);
    expect(federation.stats()).toMatchObject({ taken: 0, waiting: 0, accepted: 5 });
    await federation.close();
  });

  it("C2: lose their slot to the next when they stall, and keep it when they are slow", async () => {
    const { federation, members, clock } = await started({ uploads: { idleMs: 1000 } });
    const stalled = held(bytes.subarray(0, 100));
    const outcome = federation.receive(members[0]!, { ...all, body: stalled.body });
    const failed = expect(outcome).rejects.toMatchObject({ code: "cloud-timeout" });
    const dripping = federation.receive(members[1]!, {
      ...all,
      body: (async function* () {
        for (let at = 0; at < bytes.length; at += 1000) {
          yield bytes.subarray(at, at + 1000);
          clock.advance(400);
        }
      })(),
    });
    const waiting = send(federation, { member: members[2]!, bytes, round: 1 });
    await failed;
    expect(await waiting).toEqual({ round: 1, accepted: true });
    expect(await dripping).toEqual({ round: 1, accepted: true });
    expect(await send(federation, { member: members[0]!, bytes, round: 1 })).toEqual({
      round: 1,
      accepted: true,
    });
    await federation.close();
  });

  it("C2: do not block others for a whole round by being slow, over any number of connections", async () => {
    const { federation, members, clock } = await started({ uploads: { idleMs: 1000 } });
    const drip = async (): Promise<void> => {
      for (const member of members.slice(0, 2))
        federation.receive(member, { ...all, body: held(bytes.subarray(0, 10)).body }).catch(() => {});
      await settled();
    };
    await drip();
    const honest = send(federation, { member: members[2]!, bytes, round: 1 });
    let accepted = false;
    honest.then(() => (accepted = true));
    for (let tries = 0; tries < 20 && !accepted; tries++) {
      clock.advance(500);
      await drip();
    }
    expect(accepted).toBe(true);
    expect(await honest).toEqual({ round: 1, accepted: true });
    await federation.close();
  });

  it("can resume for a while after their connection broke", async () => {
    const { federation, members, clock } = await started({ uploads: { idleMs: 1000 } });
    const [member] = members;
    const broken = held(bytes.subarray(0, 1500));
    const outcome = federation.receive(member!, { ...all, body: broken.body });
    broken.go(new Error("connection reset"));
    await expect(outcome).rejects.toThrow("connection reset");
    expect(federation.received(member!, 1)).toBe(1500);
    // The upload of another client begins at 0.
    expect(federation.received(members[1]!, 1)).toBe(0);
    expect(
      await federation.receive(member!, { ...all, offset: 1400, body: held(bytes.subarray(1400)).body }),
    ).toEqual({ round: 1, accepted: false });
    const rest = held(bytes.subarray(1500));
    rest.go(undefined);
    expect(await federation.receive(member!, { ...all, offset: 1500, body: rest.body })).toEqual({
      round: 1,
      accepted: true,
    });

    const other = held(bytes.subarray(0, 1500));
    other.go(undefined);
    expect(await federation.receive(members[1]!, { ...all, body: other.body })).toEqual({
      round: 1,
      accepted: false,
    });
    clock.advance(2000);
    expect(federation.received(members[1]!, 1)).toBe(0);
    expect(federation.stats().taken).toBe(0);
    await federation.close();
  });

  it("C3: replace an earlier upload of the same client whose connection is dead", async () => {
    const { federation, members } = await started();
    const dead = held(bytes.subarray(0, 500));
    const first = federation.receive(members[0]!, { ...all, body: dead.body });
    await settled();
    expect(await send(federation, { member: members[0]!, bytes, round: 1 })).toEqual({
      round: 1,
      accepted: true,
    });
    dead.go(bytes.subarray(500));
    expect(await first).toEqual({ round: 1, accepted: false });
    expect(federation.stats()).toMatchObject({ accepted: 1, taken: 0 });
    await federation.close();
  });

  it("C21: end at once when their round closes, also in the queue", async () => {
    const { federation, members, clock } = await started({
      rounds: { participants: 20, overSelect: 1, minFraction: 0.05, deadlineMs: 5000 },
    });
    expect(await send(federation, { member: members[9]!, bytes, round: 1 })).toEqual({
      round: 1,
      accepted: true,
    });
    const slow = members
      .slice(0, 4)
      .map((member) => federation.receive(member, { ...all, body: held(bytes.subarray(0, 100)).body }));
    await settled();
    expect(federation.stats()).toMatchObject({ taken: 2, waiting: 2 });
    clock.advance(5000);
    for (const outcome of await Promise.all(slow))
      expect(outcome).toMatchObject({ rejected: expect.stringMatching(/round-closed|wrong-round/) });
    expect(federation.stats()).toMatchObject({ taken: 0, waiting: 0, rejected: {} });
    expect(federation.status().clients.every(({ strikes }) => strikes === 0)).toBe(true);
    await federation.close();
  });

  it("wait at the gate without their bytes, in order, and are admitted as slots become free", async () => {
    const { federation, members, clock } = await started();
    const through: string[] = [];
    const admitted = members
      .slice(0, 7)
      .map((member) => federation.admit(member, { round: 1 }).then(() => void through.push(member.client)));
    await settled();
    // Twice the number of slots.
    expect(through).toEqual(["c0", "c1", "c2", "c3"]);
    await send(federation, { member: members[0]!, bytes, round: 1 });
    await admitted[4];
    expect(through.at(-1)).toBe("c4");
    // Admitted clients that do not upload block no other client.
    clock.advance(10_000);
    await Promise.all(admitted);
    expect(through).toEqual(["c0", "c1", "c2", "c3", "c4", "c5", "c6"]);
    const gone = new AbortController();
    const late = federation.admit(members[8]!, { round: 1, signal: gone.signal });
    await settled();
    gone.abort(new Error("gone"));
    await late.catch((error: Error) => expect(error.message).toBe("gone"));
    await federation.close();
  });

  it("end when the federation is closed", async () => {
    const { federation, members } = await started();
    const slow = members
      .slice(0, 4)
      .map((member) =>
        federation
          .receive(member, { ...all, body: held(bytes.subarray(0, 100)).body })
          .catch((error: { code?: string }) => error.code),
      );
    await settled();
    await federation.close();
    await federation.close();
    expect(await Promise.all(slow)).toEqual(Array(4).fill("disposed"));
    await expect(send(federation, { member: members[0]!, bytes, round: 1 })).rejects.toMatchObject({
      code: "disposed",
    });
  });
});
