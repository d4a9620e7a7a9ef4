// A client of Sedna's protocol and sedna-js clients in one federation, over real sockets: control by
// WebSocket, by polling, and by Sedna's frames.
import { afterAll, describe, expect, it, vi } from "vitest";
import { controlSocket } from "../../packages/cloud/src/federation/protocol/control-socket.ts";
import { createFederation } from "../../packages/cloud/src/federation/create-federation.ts";
import { federationService } from "../../packages/cloud/src/federation/federation-service.ts";
import { anonymousSessions } from "../../packages/cloud/src/federation/sessions/anonymous-sessions.ts";
import { sednaAggregation } from "../../packages/cloud/src/federation/sedna/sedna-aggregation.ts";
import { createCloud } from "../../packages/cloud/src/http/create-cloud.ts";
import { serve } from "../../packages/cloud/src/http/serve.node.ts";
import { aggregation, select, type FederationTransport } from "../../packages/core/src/index.ts";
import { writeUpdateMessage } from "../../packages/core/src/wire/update-message.ts";
import { federationTransport } from "../../packages/edge-agent/src/federation/federation-transport.ts";
import { sednaPeer } from "../servers/sedna-peer.ts";

vi.setConfig({ testTimeout: 60_000 });
const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

const layout = [
  { name: "w", shape: [2, 2] },
  { name: "b", shape: [2] },
];
const rounds = 4;
const start = async (): Promise<string> => {
  const federation = createFederation({
    name: "mixed",
    model: { layout },
    aggregator: select(aggregation, { method: "FedAvg" }),
    rounds: { participants: 3, overSelect: 1, numRounds: rounds, selectionMs: 60_000, deadlineMs: 60_000 },
  });
  const federations = [federation];
  const sessions = anonymousSessions();
  const cloud = createCloud({
    services: [
      federationService({ federations, sessions, sockets: [controlSocket({ federations, sessions })] }),
      sednaAggregation({ federation }),
    ],
  });
  await cloud.start();
  const serving = await serve(cloud, { port: 0 });
  ends.push(() => serving.close());
  return serving.url;
};

/** Returns the model that a client's "training" produces. */
const trained = (model: readonly number[], step: number): number[] =>
  model.map((value, i) => value * 0.5 + (i + step) * 0.25);

/** Takes part until the federation is done; resolves to the last model. */
async function takePart(
  transport: FederationTransport,
  {
    device,
    numSamples,
    step,
  }: { readonly device: string; readonly numSamples: number; readonly step: number },
): Promise<number[]> {
  const { signal } = new AbortController();
  await transport.join({ protocol: 1, device, numSamples }, { signal });
  for await (const task of transport.tasks({ signal })) {
    if (task.kind === "wait" || (task.kind === "train" && task.accepted)) continue;
    const model = await transport.fetchModel(task.modelVersion, { length: 6, signal });
    if (task.kind === "done") {
      await transport.leave();
      return [...model];
    }
    const change = Float32Array.from(trained([...model], step), (value, i) => value - model[i]!);
    const payload = new Uint8Array(change.buffer);
    const message = writeUpdateMessage({
      head: { round: task.round, modelVersion: task.modelVersion, encoding: "f32", length: 6, numSamples },
      payload,
    });
    const answer = await transport.sendUpdate(message, { round: task.round, signal });
    expect(answer).toMatchObject({ round: task.round, accepted: true });
  }
  throw new Error("expected tasks until the federation is done; got the end of the tasks");
}

describe("a mixed federation", () => {
  it("combines clients on WebSocket, on polling and on Sedna's protocol into one model, as FedAvg does", async () => {
    const url = await start();
    const parts = [
      { samples: 10, step: 1 },
      { samples: 30, step: 4 },
      { samples: 60, step: 9 },
    ] as const;
    const ours = (["socket", "poll"] as const).map((control, i) =>
      takePart(federationTransport({ url, name: "mixed", control, pollWaitS: 5 }), {
        device: control,
        numSamples: parts[i]!.samples,
        step: parts[i]!.step,
      }),
    );
    const peer = await sednaPeer(`${url}/FedAvg`, "python");
    ends.push(async () => peer.socket.terminate());
    let expected = Array.from({ length: 6 }, () => 0);
    let theirs = expected;
    for (let round = 1; round <= rounds; round++) {
      const sent = trained(theirs, 9);
      peer.update("python", { samples: 60, weights: [[sent.slice(0, 2), sent.slice(2, 4)], sent.slice(4)] });
      const { data } = (await peer.nextOf("recv_weight")) as {
        data: {
          total_sample: number;
          round_number: number;
          exit_flag: string;
          weights: [number[][], number[]];
        };
      };
      expected = expected.map(
        (value, i) =>
          parts.reduce((sum, { samples, step }) => sum + samples * (value * 0.5 + (i + step) * 0.25), 0) /
          100,
      );
      theirs = [...data.weights[0].flat(), ...data.weights[1]];
      expect([data.total_sample, data.round_number, data.exit_flag]).toEqual([
        100,
        round,
        round === rounds ? "ok" : "continue",
      ]);
      expect(Math.max(...theirs.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6);
      expected = theirs;
    }
    expect(await Promise.all(ours)).toEqual([theirs, theirs]);
  });
});
