import { describe, expect, it } from "vitest";
import {
  countingEstimator,
  fourParameters,
  fakeFederation,
  someSamples,
  readableEncoder,
} from "../../../../testing/fakes/fake-federation.ts";
import { createFederatedLearning } from "../federated-learning/create-federated-learning.ts";

describe("a client whose round is abandoned after its update was accepted", () => {
  it("C21: sends the identical update when the round restarts, because the encoder already keeps its residual", async () => {
    const federation = fakeFederation({ plan: { ...fourParameters, participants: 2, numRounds: 1 } });
    const [estimator, encoder] = [countingEstimator(), readableEncoder()];
    const learning = createFederatedLearning<number, number>({
      transport: federation.transport("one"),
      device: "one",
      encoder: () => encoder,
      estimator,
      random: () => 0.5,
      wait: () => new Promise((resolve) => setImmediate(resolve)),
    });
    const accepted: boolean[] = [];
    for await (const event of learning.run(someSamples(10))) {
      if (event.type === "waiting") federation.reopen();
      if (event.type !== "accepted") continue;
      accepted.push(event.again);
      if (accepted.length === 1) federation.giveUp();
      else federation.closeRound();
    }
    expect(accepted).toEqual([false, true]);
    expect(estimator.trainings).toBe(1);
    expect(new Set(federation.received.map(({ text }) => text)).size).toBe(1);
    expect([...encoder.commits.values()]).toEqual([1]);
  });
});
