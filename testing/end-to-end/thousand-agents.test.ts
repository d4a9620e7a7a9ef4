import { createCloud, memorySamples, sampleService } from "@sedna-js/cloud";
import { expect, it } from "vitest";
import { createSender } from "../../packages/edge-agent/src/queue/create-sender.ts";
import { arrayQueue, type ArrayQueue } from "../fakes/array-queue.ts";
import { simulatedClock } from "../fakes/simulated-clock.ts";

// A thousand agents with real senders and the real service; only the clock and the network are simulated.

const AGENTS = 1000;
const SAMPLES = 3;
const PER_SECOND = 200;

/**
 * Returns a generator of reproducible uniform numbers. Source: Park and Miller, "Random number generators:
 * good ones are hard to find", 1988.
 */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Creates a fleet whose cloud is up if `isUp` returns true. */
async function fleet({ isUp }: { readonly isUp: (now: number) => boolean }) {
  const clock = simulatedClock();
  const store = memorySamples();
  const cloud = createCloud({
    services: [sampleService({ store, perSecond: PER_SECOND, maxUnderWay: AGENTS, now: () => clock.now() })],
  });
  await cloud.start();
  const traffic = { underWay: 0, accepted: [] as number[], asked: [] as number[] };
  const fetch = async (input: unknown, init?: unknown): Promise<Response> => {
    traffic.underWay++;
    try {
      if (!isUp(clock.now())) throw new TypeError("fetch failed");
      traffic.asked.push(clock.now());
      const response = await cloud(new Request(input as string, { ...(init as RequestInit), signal: null }));
      if (response.status === 201) traffic.accepted.push(clock.now());
      return response;
    } finally {
      traffic.underWay--;
    }
  };
  const random = randomNumbers(20_261_121);
  const networks: EventTarget[] = [];
  const queues: ArrayQueue[] = [];
  const senders = Array.from({ length: AGENTS }, (_, agent) => {
    const queue = arrayQueue({ device: `agent-${agent}` });
    for (let i = 0; i < SAMPLES; i++) queue.add();
    queues.push(queue);
    const network = new EventTarget();
    networks.push(network);
    return createSender({
      queue,
      url: "http://cloud",
      fetch: fetch as typeof globalThis.fetch,
      random,
      clock,
      network,
    });
  });
  return {
    clock,
    comeOnline: () => networks.forEach((network) => network.dispatchEvent(new Event("online"))),
    traffic,
    run: (until: number) =>
      clock.run({
        until,
        isBusy: () => traffic.underWay > 0,
        isDone: () => queues.every((queue) => queue.waiting.length === 0),
      }),
    async stop() {
      // The grace period is a timer of the clock, which does not advance now.
      const stopping = Promise.all(senders.map((sender) => sender.stop()));
      await clock.run({ until: clock.now() + 1, isBusy: () => traffic.underWay > 0 });
      await stopping;
    },
    stored: async () => new Set((await store.list({ limit: 10_000 })).ids),
  };
}

/** Returns the maximum number of events in any second. */
function peak(times: readonly number[]): number {
  let [from, most] = [0, 0];
  for (const [to, time] of times.entries()) {
    while (times[from]! <= time - 1000) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

it("C19: a thousand agents whose cloud was down for ten seconds send everything within a minute, at the cloud's rate", async () => {
  const back = 10_000;
  const agents = await fleet({ isUp: (now) => now >= back });
  await agents.run(back + 120_000);
  const took = agents.clock.now() - back;
  await agents.stop();
  expect((await agents.stored()).size).toBe(AGENTS * SAMPLES);
  expect(took).toBeLessThan(60_000);
  expect(peak(agents.traffic.accepted)).toBeLessThanOrEqual(2 * PER_SECOND);
  expect(peak(agents.traffic.asked)).toBeLessThan(AGENTS);
}, 60_000);

it("C19: a thousand agents that were offline for ten minutes and come online at the same instant send everything within a minute", async () => {
  const back = 600_000;
  const agents = await fleet({ isUp: (now) => now >= back });
  await agents.run(back);
  expect(agents.traffic.asked).toEqual([]);
  agents.comeOnline();
  await agents.run(back + 120_000);
  const took = agents.clock.now() - back;
  await agents.stop();
  expect((await agents.stored()).size).toBe(AGENTS * SAMPLES);
  expect(took).toBeLessThan(60_000);
  expect(peak(agents.traffic.accepted)).toBeLessThanOrEqual(2 * PER_SECOND);
}, 60_000);

it("C19: a thousand agents that are not notified of a cloud's return after ten minutes send everything soon after the maximum delay and never crowd the cloud", async () => {
  const back = 600_000;
  const agents = await fleet({ isUp: (now) => now >= back });
  await agents.run(back + 400_000);
  const took = agents.clock.now() - back;
  await agents.stop();
  expect((await agents.stored()).size).toBe(AGENTS * SAMPLES);
  expect(took).toBeLessThan(330_000);
  expect(peak(agents.traffic.asked)).toBeLessThan(PER_SECOND);
}, 60_000);
