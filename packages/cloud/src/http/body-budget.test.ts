import { describe, expect, it } from "vitest";
import { createBodyBudget } from "./body-budget.ts";

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}
async function* endless(first: Uint8Array): AsyncGenerator<Uint8Array> {
  yield first;
  await new Promise(() => {});
}

describe("the body budget", () => {
  it("reads whole bodies, and rejects a body that is too long", async () => {
    const room = createBodyBudget({ bytes: 1, now: () => 0 });
    expect(await room.read(pieces(Uint8Array.of(1, 2), Uint8Array.of(3)), { most: 3 })).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    expect(await room.read(pieces(Uint8Array.of(1, 2), Uint8Array.of(3)), { most: 2 })).toBeUndefined();
  });
  it("C2: reads as many bodies at once as fit, and evicts slow bodies for new ones", async () => {
    let at = 0;
    const room = createBodyBudget({ bytes: 200_000, now: () => at });
    const dripping = expect(room.read(endless(new Uint8Array(10)), { most: 100_000 })).rejects.toMatchObject({
      code: "cloud-timeout",
      retryable: true,
    });
    const quick = room.read(pieces(new Uint8Array(100_000)), { most: 100_000 });
    await expect(room.read(pieces(new Uint8Array(5)), { most: 100_000 })).rejects.toMatchObject({
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: 1000,
    });
    expect(await quick).toHaveLength(100_000);
    at = 5000;
    const [a, b] = [
      room.read(pieces(new Uint8Array(6)), { most: 100_000 }),
      room.read(pieces(new Uint8Array(7)), { most: 100_000 }),
    ];
    await dripping;
    expect([(await a)?.length, (await b)?.length]).toEqual([6, 7]);
  });
  it("frees its memory when a body fails", async () => {
    const room = createBodyBudget({ bytes: 10, now: () => 0 });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new Error("reset");
    }
    await expect(room.read(broken(), { most: 10 })).rejects.toThrow("reset");
    expect(await room.read(pieces(new Uint8Array(2)), { most: 10 })).toHaveLength(2);
  });
});
