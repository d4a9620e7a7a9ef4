import { SednaError, type SampleSource } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { restartSource, type SourceClock } from "./restart-source.ts";
import type { SourceEvent } from "./source-events.ts";

/** A clock whose waits advance its time at once. */
function simulatedClock(): SourceClock & { time: number; readonly waits: number[] } {
  const clock = {
    time: 0,
    waits: [] as number[],
    now: () => clock.time,
    async wait(ms: number) {
      clock.waits.push(ms);
      clock.time += ms;
    },
  };
  return clock;
}
const failure = new SednaError("the camera is gone", { code: "source-failed", retryable: true });
const source = <T>(live: boolean, samples: () => AsyncGenerator<T>): SampleSource<T> => ({
  live,
  [Symbol.asyncIterator]: samples,
});
const all = async <T>(samples: AsyncIterable<T>, count = Infinity): Promise<T[]> => {
  const taken: T[] = [];
  for await (const sample of samples) if (taken.push(sample) === count) break;
  return taken;
};

describe("restartSource()", () => {
  it("reopens a live source when it fails or ends, and emits events", async () => {
    const clock = simulatedClock();
    const events: SourceEvent[] = [];
    let opened = 0;
    const open = () => {
      const number = ++opened;
      return source(true, async function* () {
        if (number !== 2) yield number;
        if (number < 3) throw failure;
      });
    };
    expect(
      await all(restartSource(open, { clock, random: () => 0.5, onEvent: (event) => events.push(event) }), 3),
    ).toEqual([1, 3, 4]);
    expect(events).toEqual([
      { type: "source-opened" },
      { type: "source-failed", message: "the camera is gone", retryInMs: 250 },
      { type: "source-failed", message: "the camera is gone", retryInMs: 500 },
      { type: "source-opened" },
      { type: "source-failed", message: "the source ended", retryInMs: 1000 },
      { type: "source-opened" },
    ]);
  });

  it("ends when a file ends, and reopens a file that failed", async () => {
    let opened = 0;
    const open = () =>
      source(false, async function* () {
        if (++opened === 1) throw failure;
        yield* [1, 2];
      });
    expect(await all(restartSource(open, { clock: simulatedClock() }))).toEqual([1, 2]);
    expect(opened).toBe(2);
  });

  it("waits between 0 and 30 s before a restart", async () => {
    const clock = simulatedClock();
    const draws = [0.999, 0];
    let tries = 0;
    const stop = new AbortController();
    const open = () =>
      source(true, async function* () {
        if (++tries === 40) stop.abort();
        yield* [];
        throw failure;
      });
    expect(
      await all(restartSource(open, { clock, random: () => draws[tries % 2]!, signal: stop.signal })),
    ).toEqual([]);
    expect(Math.max(...clock.waits)).toBe(29_970);
    expect(clock.waits.filter((ms) => ms === 0).length).toBeGreaterThan(15);
  });

  it("resets the delay after a source that ran for maxMs, but not after one that failed at once", async () => {
    const clock = simulatedClock();
    let opened = 0;
    const open = () =>
      source(true, async function* () {
        opened++;
        yield opened;
        if (opened === 6) clock.time += 30_000;
        throw failure;
      });
    await all(restartSource(open, { clock, random: () => 1 - 2 ** -53 }), 8);
    expect(clock.waits).toEqual([500, 1000, 2000, 4000, 8000, 500, 1000]);
  });

  it.each<[string, Error]>([
    ["a wrong argument", new TypeError("no url")],
    ["a wrong value", new RangeError("fps")],
    ["a missing program", new SednaError("ffmpeg", { code: "missing-dependency", retryable: true })],
    ["an unsupported platform", new SednaError("browser", { code: "unsupported-platform" })],
    ["an error that is not retryable", new SednaError("broken file", { code: "source-failed" })],
  ])("throws %s", async (_, error) => {
    const events: SourceEvent[] = [];
    const open = () =>
      // oxlint-disable-next-line require-yield
      source(true, async function* () {
        throw error;
      });
    await expect(
      all(restartSource(open, { clock: simulatedClock(), onEvent: (event) => events.push(event) })),
    ).rejects.toBe(error);
    expect(events).toEqual([]);
  });

  it("does not treat a listener's error as a failure of the source", async () => {
    const uncaught: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => uncaught.push(error));
    let opened = 0;
    const open = () =>
      source(false, async function* () {
        opened++;
        yield* [1, 2];
      });
    expect(
      await all(
        restartSource(open, {
          clock: simulatedClock(),
          onEvent: () => {
            throw new Error("an error of the listener");
          },
        }),
      ),
    ).toEqual([1, 2]);
    await new Promise((resolve) => setTimeout(resolve));
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
    expect([opened, uncaught]).toEqual([1, [new Error("an error of the listener")]]);
  });

  it("throws at once what open throws, and is live if the opened source is live", () => {
    expect(() =>
      restartSource(() => {
        throw new TypeError("no url");
      }),
    ).toThrow("no url");
    expect(
      [true, false].map(
        (live) =>
          restartSource(() =>
            source(live, async function* () {
              yield 1;
            }),
          ).live,
      ),
    ).toEqual([true, false]);
    expect(() =>
      restartSource(
        () =>
          source(true, async function* () {
            yield 1;
          }),
        { baseMs: 100, maxMs: 10 },
      ),
    ).toThrow("expected 0 < baseMs <= maxMs");
  });

  it("ends at once when its reader stops, while it waits for a sample and while it waits for a restart", async () => {
    let returned = 0;
    let release: () => void = () => {};
    const stuck: SampleSource<number> = {
      live: true,
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise((resolve) => (release = () => resolve({ done: true, value: undefined }))),
        return: async () => (returned++, release(), { done: true, value: undefined }),
      }),
    };
    const iterator = restartSource(() => stuck)[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await Promise.resolve();
    await iterator.return!();
    expect([await waiting, returned]).toEqual([{ done: true, value: undefined }, 1]);

    let failed!: () => void;
    const hasFailed = new Promise<void>((resolve) => (failed = resolve));
    const failing = restartSource(
      () =>
        // oxlint-disable-next-line require-yield
        source(true, async function* () {
          throw failure;
        }),
      { random: () => 0.99, baseMs: 30_000, onEvent: failed },
    )[Symbol.asyncIterator]();
    const next = failing.next();
    await hasFailed;
    await failing.return!();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
