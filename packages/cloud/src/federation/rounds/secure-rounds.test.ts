import { mergeFederationOptions } from "../../../../../testing/fakes/merge-federation-options.ts";
import { createSecureClient, type SecureClient } from "@sedna-js/core/secure-aggregation";
import { writeSecureResponse, type SecureAnswer } from "@sedna-js/core/wire";
import { describe, expect, it } from "vitest";
import { createFederation } from "../create-federation.ts";
import { closed, join, message, plainMean, send } from "../federation-fixture.suite.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";
import type { FederationOptions } from "../federation-options.ts";

const LENGTH = 16;
const updateView = (who: number): Float32Array =>
  Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(who + i));
const names = ["a", "b", "c", "d", "e", "f", "g"];

async function started(
  options: Partial<FederationOptions> = {},
  forge: (client: string, said: SecureAnswer) => SecureAnswer = (_, said) => said,
) {
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { layout: [{ name: "w", shape: [LENGTH] }] },
        aggregator: plainMean,
        privacy: { secureAggregation: {} },
        rounds: {
          participants: names.length,
          overSelect: 1,
          minFraction: 0.5,
          deadlineMs: 4000,
          numRounds: 0,
        },
        runtime: { seed: 1 },
      },
      options,
    ),
  );
  await federation.start();
  const members = join(federation, names);
  const clients = new Map<string, SecureClient>();
  /** Responds to the current task of a member. Returns the receipt. */
  const answer = async (member: Member): Promise<ReturnType<Federation["receiveSecure"]> | undefined> => {
    const task = federation.task(member);
    if (task.kind !== "secure") return undefined;
    const { round, phase, modelVersion } = task;
    if (phase === "keys")
      clients.set(
        member.client,
        createSecureClient({
          federation: "digits",
          round,
          length: LENGTH,
          update: async () => ({ change: updateView(names.indexOf(member.client)), numSamples: 10 }),
        }),
      );
    const said = forge(member.client, await clients.get(member.client)!.answer(phase, task.message));
    return federation.receiveSecure(member, {
      phase,
      body: writeSecureResponse(said, { round, modelVersion }),
    });
  };
  /** Lets these members participate until the round is over. */
  const run = async (taking: readonly Member[], over: Promise<unknown>): Promise<void> => {
    let isOver = false;
    over.then(() => (isOver = true));
    while (!isOver) {
      await Promise.all(taking.map(answer));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { federation, members, answer, run };
}
const meanOf = (of: readonly number[]): number[] =>
  Array.from({ length: LENGTH }, (_, i) => of.reduce((sum, who) => sum + updateView(who)[i]!, 0) / of.length);

describe("a federation with secure aggregation", () => {
  it("makes the same model as without secure aggregation, round after round", async () => {
    const { federation, members, run } = await started();
    for (const round of [1, 2]) {
      const over = closed(federation);
      await run(members, over);
      expect(await over).toMatchObject({ round, outcome: "aggregated" });
    }
    const mean = meanOf(names.map((_, i) => i));
    federation.model(2)!.parameters.forEach((value, i) => expect(value).toBeCloseTo(2 * mean[i]!, 4));
    await federation.close();
  });

  it("C21: aggregates the remaining clients if some drop out in the middle", async () => {
    const { federation, members, run, answer } = await started();
    // Two clients send their keys and shares, and then drop out.
    const isTraining = (): boolean =>
      (federation.task(members[0]!) as { readonly phase?: string }).phase === "masked";
    while (!isTraining()) {
      await Promise.all(members.map(answer));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const over = closed(federation);
    await run(members.slice(0, 5), over);
    expect(await over).toMatchObject({ round: 1, outcome: "aggregated" });
    const mean = meanOf([0, 1, 2, 3, 4]);
    federation.model(1)!.parameters.forEach((value, i) => expect(value).toBeCloseTo(mean[i]!, 4));
    await federation.close();
  });

  it("C22: quarantines a client that sends its neighbors boxes that they cannot open, and no other client", async () => {
    const { federation, members, run } = await started(
      {
        rounds: {
          participants: names.length,
          overSelect: 1,
          minFraction: 0.5,
          deadlineMs: 4000,
          selectionMs: 1,
          strikes: 1,
          quarantineRounds: 1,
          numRounds: 0,
        },
      },
      (client, said) => {
        if (client !== "c" || said.phase !== "shares") return said;
        return {
          ...said,
          message: {
            ...said.message,
            boxes: said.message.boxes.map(({ to, box }) => ({ to, box: `AAAA${box.slice(4)}` })),
          },
        };
      },
    );
    const outcomes: string[] = [];
    const made = new Promise((resolve) =>
      federation.onRound(({ outcome }) => {
        outcomes.push(outcome);
        if (outcome === "aggregated") resolve(undefined);
      }),
    );
    await run(members, made);
    expect(outcomes).toEqual(["abandoned", "aggregated"]);
    expect(federation.status().clients.filter(({ strikes }) => strikes > 0)).toHaveLength(1);
    const mean = meanOf([0, 1, 3, 4, 5, 6]);
    federation.model(1)!.parameters.forEach((value, i) => expect(value).toBeCloseTo(mean[i]!, 4));
    await federation.close();
  });

  it("rejects an unmasked update and a malformed response", async () => {
    const { federation, members } = await started();
    expect(
      await send(federation, { member: members[0]!, bytes: message(updateView(0), { round: 1 }), round: 1 }),
    ).toMatchObject({ rejected: "not-selected" });
    expect(federation.receiveSecure(members[0]!, { phase: "keys", body: new Uint8Array(3) })).toMatchObject({
      rejected: "wrong-shape",
    });
    await federation.close();
  });
});
