import { mergeFederationOptions } from "../../../../../testing/fakes/merge-federation-options.ts";
import { aggregation, select } from "@sedna-js/core";
import type { UpdateHead } from "@sedna-js/core/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFederation } from "../create-federation.ts";
import { closed, join, message, pieces, plainMean, send } from "../federation-fixture.suite.ts";
import type { FederationOptions } from "../federation-options.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";

const LENGTH = 64;
const make = async (options: Partial<FederationOptions> = {}): Promise<Federation> => {
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { layout: [{ name: "w", shape: [LENGTH] }] },
        aggregator: plainMean,
        rounds: { participants: 8, overSelect: 1, numRounds: 100, strikes: 3 },
        limits: { maxNumSamples: 1000 },
        runtime: { seed: 1 },
      },
      options,
    ),
  );
  await federation.start();
  return federation;
};
const honest = (client: number, round = 1): number[] =>
  Array.from({ length: LENGTH }, (_, i) => Math.sin(client * 5 + i + round));
const floats = (values: ArrayLike<number>): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const good = (more: Partial<UpdateHead> = {}): Uint8Array<ArrayBuffer> =>
  message(honest(0), { round: 1, ...more });
const withByte = (bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> => {
  const spoilt = bytes.slice();
  spoilt[at < 0 ? spoilt.length + at : at]! ^= 1;
  return spoilt;
};

/** Malformed messages, with the code of their rejection. */
const malformed: readonly (readonly [name: string, code: string, bytes: () => Uint8Array<ArrayBuffer>])[] = [
  ["longer than the plan allows", "too-long", () => new Uint8Array(100_000)],
  ["an invalid header", "wrong-shape", () => new Uint8Array(500).fill(0x7b)],
  ["only a length", "wrong-shape", () => Uint8Array.of(0, 0, 0, 0)],
  ["truncated in its head", "wrong-length", () => good().slice(0, 40)],
  ["truncated in its payload", "wrong-length", () => good().slice(0, -4)],
  ["longer than its head states", "wrong-length", () => Uint8Array.from([...good(), 0, 0, 0, 0])],
  ["a flipped bit", "wrong-digest", () => withByte(good(), -1)],
  ["fewer parameters", "wrong-shape", () => message(honest(0).slice(1), { round: 1 })],
  ["more parameters", "wrong-shape", () => message([...honest(0), 1], { round: 1 })],
  [
    "another encoding",
    "wrong-shape",
    () => message(new Uint8Array(2 * LENGTH), { round: 1, encoding: "f16", length: LENGTH }),
  ],
  [
    "NaN",
    "not-finite",
    () =>
      message(
        honest(0).map((value, i) => (i === LENGTH - 1 ? NaN : value)),
        { round: 1 },
      ),
  ],
  [
    "an infinity",
    "not-finite",
    () =>
      message(
        honest(0).map((value, i) => (i === 7 ? -Infinity : value)),
        { round: 1 },
      ),
  ],
  ["num_samples of 1e12", "wrong-weight", () => good({ numSamples: 1e12 })],
  [
    "NaN and too many samples: the finite check is first",
    "not-finite",
    () =>
      message(floats(honest(0).fill(NaN)), { round: 1, encoding: "f32", length: LENGTH, numSamples: 1e12 }),
  ],
  [
    "a round that differs from the URL",
    "wrong-round",
    () => message(honest(0), { round: 2, modelVersion: 1 }),
  ],
];

const strikesOf = (federation: Federation): number[] =>
  federation.status().clients.map(({ strikes }) => strikes);
const honestRound = async (federation: Federation, members: readonly Member[]): Promise<Float32Array> => {
  const done = closed(federation);
  for (const [i, member] of members.entries())
    expect(
      await send(federation, {
        member,
        bytes: message(honest(i), { round: 1, numSamples: 10 + i }),
        round: 1,
      }),
    ).toMatchObject({ accepted: true });
  await done;
  return federation.model(1)!.parameters;
};

describe("a malformed update", () => {
  it.each(malformed)("C22: %s is rejected with %s, and not aggregated", async (_, code, bytes) => {
    const federation = await make();
    const [member] = join(federation, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    expect(await send(federation, { member: member!, bytes: bytes(), round: 1 })).toMatchObject({
      rejected: code,
      error: expect.stringContaining("expected"),
    });
    expect(federation.stats()).toMatchObject({ accepted: 0, rejected: { [code]: 1 } });
    // An update for another round may only be late.
    expect(strikesOf(federation)[0]).toBe(code === "wrong-round" ? 0 : 1);
    expect(await send(federation, { member: member!, bytes: good(), round: 1 })).toEqual({
      round: 1,
      accepted: true,
    });
    await federation.close();
  });

  it.each([
    ["FedAvg", {}],
    ["Median", {}],
    ["FedAvg", { storage: { keepUpdates: true } }],
    ["FedAvg", { limits: { clipNorm: 100 } }],
  ] as const)("C22: does not change the model of %s %o by a single bit", async (method, options) => {
    const aggregator = select(aggregation, { method });
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const alone = await make(mergeFederationOptions({ aggregator }, options));
    const without = await honestRound(alone, join(alone, names));

    const federation = await make(
      mergeFederationOptions(
        { aggregator, rounds: { participants: 8, overSelect: (8 + malformed.length) / 8, numRounds: 100 } },
        options,
      ),
    );
    const members = join(federation, names);
    const hostile = join(
      federation,
      malformed.map(([name]) => name),
    );
    const done = closed(federation);
    for (const [i, member] of members.entries()) {
      for (const [j, [, code, bytes]] of malformed.entries())
        if (j % members.length === i)
          expect(await send(federation, { member: hostile[j]!, bytes: bytes(), round: 1 })).toMatchObject({
            rejected: code,
          });
      await send(federation, {
        member,
        bytes: message(honest(i), { round: 1, numSamples: 10 + i }),
        round: 1,
      });
    }
    await done;
    expect(new Uint8Array(federation.model(1)!.parameters.buffer)).toEqual(new Uint8Array(without.buffer));
    await Promise.all([alone.close(), federation.close()]);
  });

  it("C22: is a strike; three strikes quarantine a client for some rounds, and a late update is no strike", async () => {
    const federation = await make();
    const [member] = join(federation, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    expect(
      await send(federation, { member: member!, bytes: message(honest(0), { round: 7 }), round: 7 }),
    ).toMatchObject({ rejected: "wrong-round" });
    expect(strikesOf(federation)[0]).toBe(0);
    for (let i = 0; i < 3; i++)
      await send(federation, { member: member!, bytes: withByte(good(), -1), round: 1 });
    expect(await send(federation, { member: member!, bytes: good(), round: 1 })).toMatchObject({
      rejected: "quarantined",
    });
    expect(federation.task(member!)).toMatchObject({ kind: "wait" });
    await federation.close();
  });

  it("is rejected if its norm exceeds ten times the clip norm, and clipped if the norm is smaller", async () => {
    const federation = await make({
      limits: { clipNorm: 1 },
      rounds: { participants: 2, overSelect: 2 },
      runtime: { seed: 1 },
    });
    const [a, b] = join(federation, ["a", "b", "c", "d"]);
    const done = closed(federation);
    const straight = (size: number): number[] => [size, ...Array<number>(LENGTH - 1).fill(0)];
    expect(
      await send(federation, { member: a!, bytes: message(straight(10.1), { round: 1 }), round: 1 }),
    ).toMatchObject({ rejected: "norm-too-large" });
    await send(federation, { member: a!, bytes: message(straight(8), { round: 1 }), round: 1 });
    await send(federation, { member: b!, bytes: message(straight(-0.5), { round: 1 }), round: 1 });
    await done;
    expect(federation.model(1)!.parameters[0]).toBeCloseTo(0.25, 6);
    await federation.close();
  });

  it("C27: never throws, and is accepted only if it is still valid", async () => {
    const federation = await make({ rounds: { participants: 2, overSelect: 1, strikes: 1_000_000 } });
    const [member] = join(federation, ["a", "b"]);
    const bytes = good();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(bytes.length - 1), value: fc.integer({ min: 1, max: 255 }) }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.nat(40),
        fc.integer({ min: 1, max: 97 }),
        async (flips, cut, size) => {
          const spoilt = bytes.slice(0, bytes.length - (cut > 30 ? cut : 0));
          for (const { at, value } of flips) if (at < spoilt.length) spoilt[at]! ^= value;
          const isSame = spoilt.length === bytes.length && spoilt.every((byte, i) => byte === bytes[i]);
          const outcome = await federation.receive(member!, {
            round: 1,
            offset: 0,
            total: spoilt.length,
            body: pieces(spoilt, size),
          });
          // A flip in the padding of the head, or in a name that is ignored, is harmless.
          if (!isSame && "accepted" in outcome) expect(federation.stats().accepted).toBeLessThanOrEqual(1);
          else expect("rejected" in outcome || isSame).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    await federation.close();
  });
});
