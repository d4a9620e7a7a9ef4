import { expect, describe, it } from "vitest";
import {
  countingEstimator,
  fourParameters,
  fakeFederation,
  someSamples,
  readableEncoder,
} from "../../../../testing/fakes/fake-federation.ts";
import type { UpdateEncoder } from "../update-codec/create-update-encoder.ts";
import { createFederatedLearning, type FederatedLearningOptions } from "./create-federated-learning.ts";
import type { FederatedEvent } from "./federated-event.ts";

async function all(
  options: Pick<FederatedLearningOptions<number, number>, "encoder" | "residuals">,
): Promise<FederatedEvent[]> {
  const federation = fakeFederation({ plan: { ...fourParameters, numRounds: 1 } });
  const learning = createFederatedLearning<number, number>({
    estimator: countingEstimator(),
    transport: federation.transport("one"),
    device: "one",
    encoder: () => readableEncoder(),
    random: () => 0.5,
    ...options,
  });
  const events: FederatedEvent[] = [];
  for await (const event of learning.run(someSamples(10))) events.push(event);
  return events;
}

describe("the residual of an encoding", () => {
  it("is stored once the update is accepted, and restored after a restart", async () => {
    const written: (Float32Array | undefined)[] = [];
    const restored: (Float32Array | undefined)[] = [];
    const encoder: UpdateEncoder = {
      ...readableEncoder(),
      state: () => Float32Array.of(1, 2, 3, 4),
      restore: (state) => void restored.push(state),
    };
    const kept = Float32Array.of(4, 3, 2, 1);
    await all({
      encoder: () => encoder,
      residuals: { read: async () => kept, write: async (residual) => void written.push(residual) },
    });
    expect(restored).toEqual([kept]);
    expect(written).toEqual([Float32Array.of(1, 2, 3, 4)]);
  });

  it("is dropped if it belongs to another model", async () => {
    const restored: (Float32Array | undefined)[] = [];
    const encoder: UpdateEncoder = { ...readableEncoder(), restore: (state) => void restored.push(state) };
    await all({
      encoder: () => encoder,
      residuals: { read: async () => Float32Array.of(1), write: async () => {} },
    });
    expect(restored).toEqual([]);
  });

  it("does not stop the client if it can be neither read nor stored", async () => {
    const events = await all({
      residuals: {
        read: () => Promise.reject(new Error("no disk")),
        write: () => Promise.reject(new Error("no room")),
      },
    });
    expect(events.filter(({ type }) => type === "storage-failed")).toEqual(
      ["no disk", "no room"].map((message) => ({ type: "storage-failed", message })),
    );
    expect(events.at(-1)).toMatchObject({ type: "done" });
  });
});
