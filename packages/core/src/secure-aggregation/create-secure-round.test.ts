import { x25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import type { SecureAnswer, SecureUnmaskResponse } from "../wire/secure-aggregation.ts";
import { createSecureClient } from "./create-secure-client.ts";
import { createSecureRound } from "./create-secure-round.ts";
import { isSmallOrder, keyAgreement } from "./key-agreement.ts";
import { neighborhoodSize, neighborsOf } from "./neighborhood.ts";
import { fitsRing, levelsFor, quantize } from "./quantize.ts";
import { toBase64 } from "./secure-keys.ts";
import { plainMean, runRound, settingsFor } from "./secure-aggregation.suite.ts";

const options = (clients: number) => ({
  federation: "test",
  round: 4,
  settings: settingsFor({ clients }),
  clients: Array.from({ length: clients }, (_, i) => `c${i}`),
  deadlines: { keys: 10, shares: 10, masked: 10, unmask: 10 },
  now: 0,
});
const keysOf = async (name: string): Promise<SecureAnswer> =>
  createSecureClient({
    federation: name,
    round: 4,
    length: 50,
    update: () => Promise.reject(new Error("not wanted")),
  }).answer("keys", { settings: settingsFor({ clients: 4 }) });

describe("createSecureRound", { timeout: 60_000 }, () => {
  it("rejects unknown clients, messages of another phase, and keys that are not the client's own", async () => {
    const round = createSecureRound(options(4));
    const keys = await keysOf("test");
    expect(round.receive("stranger", keys)).toMatchObject({ rejected: "not-selected" });
    expect(round.receive("c0", { phase: "unmask", message: { seeds: [], keys: [] } })).toMatchObject({
      rejected: "round-closed",
    });
    expect(round.receive("c0", keys)).toEqual({ accepted: true });
    expect(round.receive("c0", keys)).toEqual({ accepted: true, duplicate: true });
    expect(round.receive("c1", keys)).toMatchObject({ rejected: "wrong-shape" });
    expect(
      round.receive("c1", {
        phase: "keys",
        message: { maskKey: toBase64(new Uint8Array(32)), sealKey: toBase64(new Uint8Array(32).fill(7)) },
      }),
    ).toMatchObject({ rejected: "wrong-shape" });
    expect(round.task("c0")).toBeUndefined();
    expect(round.task("c1")).toMatchObject({ phase: "keys" });
  });

  it("advances once, when every client has responded or the deadline has passed", async () => {
    const round = createSecureRound(options(4));
    for (const name of ["c0", "c1", "c2"]) round.receive(name, await keysOf("test"));
    expect(await round.advance(9)).toBe(false);
    expect(round.phase).toBe("keys");
    const both = [round.advance(10), round.advance(10)];
    expect(round.receive("c3", await keysOf("test"))).toMatchObject({ rejected: "round-closed" });
    expect(await Promise.all(both)).toEqual([true, true]);
    expect([round.phase, round.deadlineAt]).toEqual(["shares", 20]);
    expect(round.task("c3")).toBeUndefined();
  });

  it("tolerates a client with false shares if enough others are correct", async () => {
    const flip = (answer: SecureUnmaskResponse): SecureUnmaskResponse => ({
      ...answer,
      seeds: answer.seeds.map(({ of, share }) => ({
        of,
        share: `${share.startsWith("A") ? "B" : "A"}${share.slice(1)}`,
      })),
    });
    const { round, clients, settings, errors } = await runRound({
      clients: 8,
      forge: ({ from, answer }) =>
        from === 3 && answer.phase === "unmask" ? { ...answer, message: flip(answer.message) } : answer,
    });
    expect([...errors.values()]).toEqual([]);
    expect(round.error).toBeUndefined();
    expect(round.result!.mean).toEqual(plainMean(clients, settings).quantized);
  });

  it("C22: is abandoned without a result if masks do not cancel or a vector is forged", async () => {
    const { round } = await runRound({
      clients: 8,
      forge: ({ from, answer }) =>
        from === 3 && answer.phase === "masked"
          ? { ...answer, message: new Uint32Array(answer.message.length).fill(12345678) }
          : answer,
    });
    expect([round.phase, round.result]).toEqual(["abandoned", undefined]);
    expect(round.error!.message).toContain("do not cancel");
  });

  it("C22: adds no vector of another length, no vector twice, and no vector of a client without shares", async () => {
    let accepted = 0;
    const { round, clients, settings } = await runRound({
      clients: 5,
      gone: (i) => (i === 4 ? "shares" : undefined),
      before({ from, answer, round }) {
        if (answer.phase !== "masked") return;
        expect(round.receive(`c${from}`, { phase: "masked", message: new Uint32Array(1e5) })).toMatchObject({
          rejected: "wrong-length",
        });
        expect(round.receive("c4", answer)).toMatchObject({ rejected: "not-selected" });
        accepted++;
      },
      after({ from, answer, round }) {
        if (answer.phase === "masked" && round.phase === "masked")
          expect(round.receive(`c${from}`, answer)).toEqual({ accepted: true, duplicate: true });
      },
    });
    expect(accepted).toBe(4);
    expect(round.result!.mean).toEqual(plainMean(clients.slice(0, 4), settings).quantized);
  });

  it("rejects boxes that do not match the neighbors of the client", async () => {
    const { errors } = await runRound({
      clients: 5,
      forge: ({ from, answer }) =>
        from === 1 && answer.phase === "shares"
          ? { ...answer, message: { ...answer.message, boxes: answer.message.boxes.slice(1) } }
          : answer,
    });
    expect((errors.get(1) as Error).message).toContain("wrong-shape");
  });

  it("throws for a round whose sum could overflow, and for too few clients", () => {
    expect(() =>
      createSecureRound({ ...options(4), settings: { ...options(4).settings, levels: 2 ** 31 } }),
    ).toThrow(RangeError);
    expect(() => createSecureRound({ ...options(4), clients: ["a", "b"] })).toThrow(RangeError);
  });
});

describe("quantize", () => {
  it("rounds to within half a step, clips to the range, and never overflows in the worst case", () => {
    for (const [clients, maxWeight] of [
      [3, 1],
      [100, 32],
      [1000, 1000],
      [1000, 1],
    ] as const) {
      const settings = {
        ...settingsFor({ clients: 3 }),
        length: 3,
        maxWeight,
        levels: levelsFor({ clients, maxWeight }),
      };
      expect(fitsRing(settings, clients)).toBe(true);
      const words = quantize(Float32Array.of(1e30, -1e30, 0.3), { settings, weight: maxWeight });
      const sum = Array.from(words, (word) => (word | 0) * clients);
      expect(sum.slice(0, 3).every((one) => one === (one | 0))).toBe(true);
      const step = (2 * settings.clipRange) / settings.levels;
      expect(((words[0]! | 0) / maxWeight) * step).toBeCloseTo(8, 6);
      expect(Math.abs(((words[2]! | 0) / maxWeight) * step - 0.3)).toBeLessThanOrEqual(step / 2 + 1e-7);
    }
    expect(() => levelsFor({ clients: 2 ** 20, maxWeight: 2 ** 12 })).toThrow(RangeError);
  });

  it("C22: rejects numbers that are not finite", () => {
    const settings = { ...settingsFor({ clients: 3 }), length: 1 };
    for (const value of [NaN, Infinity])
      expect(() => quantize(Float32Array.of(value), { settings, weight: 1 })).toThrow(RangeError);
  });
});

describe("neighbors", () => {
  it.each([3, 10, 64, 300])(
    "of %i clients are mutual, exclude the client itself, and have the same number for all",
    async (clients) => {
      const { neighbors, threshold } = neighborhoodSize(clients);
      const lists = await neighborsOf({ clients, seed: new Uint8Array(32).fill(clients) });
      for (const [i, list] of lists.entries()) {
        expect(new Set(list).size).toBe(neighbors);
        expect(list).not.toContain(i);
        for (const j of list) expect(lists[j]).toContain(i);
      }
      expect(2 * threshold).toBeGreaterThan(neighbors);
      if (neighbors < clients - 1)
        expect(await neighborsOf({ clients, seed: new Uint8Array(32) })).not.toEqual(lists);
    },
  );

  it("are fewer than all clients in large rounds, and at most 254, the limit of Shamir's shares", () => {
    expect(neighborhoodSize(1000).neighbors).toBeLessThan(250);
    expect(neighborhoodSize(10_000).neighbors).toBe(254);
  });
});

describe("keyAgreement", () => {
  it("derives the same secret on both sides and as in RFC 7748, 6.1, natively and with @noble/curves", async () => {
    const hex = (text: string): Uint8Array<ArrayBuffer> =>
      Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));
    const [alice, bob] = [
      hex("77076d0a7318a57d3c16c17251b26645df4c2f92ebc099c0ea0adc2dd9a36ae2".slice(0, 64)),
      hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
    ];
    const [a, b] = [await keyAgreement(alice), await keyAgreement(bob)];
    expect(b.publicKey).toEqual(hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    const secret = await a.secretWith(b.publicKey);
    expect(await b.secretWith(a.publicKey)).toEqual(secret);
    expect(Uint8Array.from(x25519.getSharedSecret(alice, b.publicKey))).toEqual(secret);
  });

  it("detects every small-order key in every encoding", () => {
    const le = (number: bigint): Uint8Array =>
      Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 255n));
    const p = 2n ** 255n - 19n;
    const bad = [
      0n,
      1n,
      p - 1n,
      p,
      p + 1n,
      325606250916557431795983626356110631294008115727848805560023387167927233504n,
      39382357235489614581723060781553021112529911719440698176882885853963445705823n,
    ];
    for (const number of bad) {
      for (const key of [le(number), le(number | (1n << 255n))]) {
        expect(isSmallOrder(key)).toBe(true);
        expect(() => x25519.getSharedSecret(new Uint8Array(32).fill(1), key)).toThrow();
      }
    }
    expect(isSmallOrder(x25519.getPublicKey(new Uint8Array(32).fill(1)))).toBe(false);
  });
});
