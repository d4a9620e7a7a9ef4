import { getEventListeners } from "node:events";
import { seededRandom } from "@sedna-js/wasm-kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countingEstimator,
  fourParameters,
  fakeFederation,
  someSamples,
  readableEncoder,
  type PretendFederation,
} from "../../../../testing/fakes/fake-federation.ts";
import { SednaError } from "../errors.ts";
import { createFederatedLearning } from "./create-federated-learning.ts";
import type { FederatedEvent } from "./federated-event.ts";
import type { FederationTransport } from "./federation-transport.ts";

// Injects faults of the network, the aggregator and the owner at every await, in an order that a seed draws.

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * A transport that loses requests and responses, sends updates twice, repeats tasks, and delays every call.
 */
function faulty(
  transport: FederationTransport,
  { random, rate }: { readonly random: () => number; readonly rate: number },
): FederationTransport {
  const lost = (what: string): SednaError =>
    new SednaError(`${what}: the connection failed`, {
      code: random() < 0.5 ? "cloud-unreachable" : "cloud-timeout",
      retryable: true,
    });
  const idle = async (): Promise<void> => {
    for (let i = Math.floor(random() * 4); i > 0; i--) await soon();
  };
  const call = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    await idle();
    if (random() < rate) throw lost(what);
    if (what === "send" && random() < rate) await work();
    const answer = await work();
    await idle();
    if (random() < rate) throw lost(what);
    return answer;
  };
  return {
    join: (request, options) => call("join", () => transport.join(request, options)),
    async *tasks(options) {
      for await (const task of transport.tasks(options)) {
        await idle();
        yield task;
        if (random() < rate) yield task;
        if (random() < rate / 2)
          throw new SednaError("receive tasks: expected an active session; got an ended one", {
            code: "session-ended",
          });
      }
    },
    fetchModel: (version, options) => call("fetch", () => transport.fetchModel(version, options)),
    sendUpdate: (message, options) => call("send", () => transport.sendUpdate(message, options)),
    sendSecure: transport.sendSecure,
    leave: transport.leave,
  };
}

/** Simulates faults of the aggregator: it restarts, ends sessions, and closes rounds without late clients. */
async function trouble(
  federation: PretendFederation,
  {
    random,
    devices,
    until,
  }: { readonly random: () => number; readonly devices: readonly string[]; readonly until: AbortSignal },
): Promise<void> {
  while (!until.aborted) {
    for (let i = Math.floor(random() * 60); i > 0 && !until.aborted; i--) await soon();
    const draw = random();
    if (draw < 0.3) federation.restart({ losing: random() < 0.5 });
    else if (draw < 0.5) federation.endSession(devices[Math.floor(random() * devices.length)]!);
    else federation.closeRound();
  }
}

describe("a federation client under faults", () => {
  it(
    "C20, C21: ends with the final model, sends one distinct update per round, and commits each accepted update once",
    { timeout: 60_000 },
    async () => {
      const world = fc.record({ seed: fc.integer(), rate: fc.double({ min: 0, max: 0.4, noNaN: true }) });
      let accepted = 0;
      await fc.assert(
        fc.asyncProperty(world, async ({ seed, rate }) => {
          const random = seededRandom({ seed, stream: 0 });
          const federation = fakeFederation({
            plan: { ...fourParameters, participants: 3, numRounds: 4 },
          });
          const over = new AbortController();
          const devices = ["one", "two", "three"];
          const given = new AbortController();
          const clients = devices.map((device) => {
            const estimator = countingEstimator({
              onEpoch: async () => {
                for (let i = Math.floor(random() * 6); i > 0; i--) await soon();
              },
            });
            const encoder = readableEncoder();
            const learning = createFederatedLearning<number, number>({
              estimator,
              transport: faulty(federation.transport(device), { random, rate }),
              device,
              encoder: () => encoder,
              random,
              wait: soon,
            });
            return { estimator, encoder, learning };
          });
          const running = trouble(federation, { random, devices, until: over.signal });
          const ends = await Promise.all(
            clients.map(async ({ learning }) => {
              let last: FederatedEvent | undefined;
              for await (const event of learning.run(someSamples(5), { signal: given.signal })) last = event;
              return last;
            }),
          );
          over.abort();
          await running;

          expect(ends).toEqual(devices.map(() => ({ type: "done", round: 4, modelVersion: 4 })));
          for (const device of devices) {
            for (const round of [1, 2, 3, 4]) {
              const sent = new Set(
                federation.received
                  .filter((one) => one.device === device && one.round === round)
                  .map(({ text }) => text),
              );
              expect(sent.size, `distinct updates of ${device} for round ${round}`).toBeLessThanOrEqual(1);
            }
          }
          for (const { estimator, encoder } of clients) {
            expect(estimator.busy).toBeLessThanOrEqual(1);
            const [weight, bias] = await estimator.getWeights();
            expect([...(weight!.data as Float32Array), ...(bias!.data as Float32Array)]).toEqual([
              ...federation.model,
            ]);
            for (const [message, times] of encoder.commits) {
              expect(times).toBe(1);
              expect(federation.countedEver.has(message), "only accepted updates are committed").toBe(true);
            }
            accepted += encoder.commits.size;
          }
          expect(federation.listeners.size).toBe(0);
          expect(getEventListeners(given.signal, "abort").length).toBe(0);
        }),
        { numRuns: 150 },
      );
      expect(accepted, "enough updates were accepted").toBeGreaterThan(150);
    },
  );

  it(
    "ends immediately on abort in any state, and leaves no listener or request behind",
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), fc.nat({ max: 120 }), async (seed, turns) => {
          const random = seededRandom({ seed, stream: 0 });
          const federation = fakeFederation({
            plan: { ...fourParameters, participants: 2, numRounds: 1000 },
          });
          const over = new AbortController();
          const stop = new AbortController();
          const why = new Error("enough");
          const estimator = countingEstimator({ onEpoch: soon });
          const learning = createFederatedLearning<number, number>({
            estimator,
            transport: faulty(federation.transport("one"), { random, rate: 0.2 }),
            device: "one",
            encoder: readableEncoder,
            random,
            wait: soon,
          });
          const running = trouble(federation, { random, devices: ["one"], until: over.signal });
          const taken = (async () => {
            for await (const event of learning.run(someSamples(5), { signal: stop.signal })) void event;
          })();
          for (let i = 0; i < turns; i++) await soon();
          stop.abort(why);
          await expect(taken).rejects.toBe(why);
          over.abort();
          await running;
          const before = federation.received.length;
          for (let i = 0; i < 20; i++) await soon();
          expect(federation.received.length, "nothing is sent after the end").toBe(before);
          expect(federation.listeners.size).toBe(0);
          expect(getEventListeners(stop.signal, "abort").length).toBe(0);
        }),
        { numRuns: 150 },
      );
    },
  );
});
