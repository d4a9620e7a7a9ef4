// A federation that speaks Sedna's protocol on a real socket, with a clock that the test controls.
import { afterAll, vi } from "vitest";
import { aggregation, select } from "@sedna-js/core";
import type { RoundSettings } from "@sedna-js/core/federation";
import type { LayerSpec } from "@sedna-js/core/training";
import { createCloud } from "../../packages/cloud/src/http/create-cloud.ts";
import { createFederation } from "../../packages/cloud/src/federation/create-federation.ts";
import type { Federation } from "../../packages/cloud/src/federation/federation.ts";
import {
  sednaAggregation,
  type SednaAggregationOptions,
} from "../../packages/cloud/src/federation/sedna/sedna-aggregation.ts";
import { serve } from "../../packages/cloud/src/http/serve.node.ts";
import { manualClock, type ManualClock } from "../fakes/manual-clock.ts";
import { sednaPeer, type SednaPeer } from "./sedna-peer.ts";

/** Options of {@link sednaFixture}. */
export interface SednaStageOptions {
  readonly rounds?: Partial<RoundSettings>;
  readonly options?: Partial<SednaAggregationOptions>;
  /** Default: two layers, of two numbers and of one. */
  readonly layers?: readonly LayerSpec[];
  readonly maxNumSamples?: number;
}

/** See {@link sednaFixture}. */
export interface SednaStage {
  readonly url: string;
  readonly clock: ManualClock;
  readonly federation: Federation;
  /** Connects a client, and subscribes it if it has a name. */
  join(clientId?: string): Promise<SednaPeer>;
  /** Number of clients accepted in the active round. */
  accepted(): number;
  close(): Promise<void>;
}

/** A round's result as a client receives it. */
export interface ReceivedWeights {
  readonly round: number;
  readonly total: number;
  readonly weights: readonly (readonly number[])[];
  readonly flag: string;
}

/**
 * Returns a function that starts a {@link sednaFixture}. All are closed after the file's tests. Raises the
 * timeout of the file's tests: on a busy machine any step can be slow, so no check depends on duration.
 */
export function sednaFixtures(): (options?: SednaStageOptions) => Promise<SednaStage> {
  vi.setConfig({ testTimeout: 60_000 });
  const stages: SednaStage[] = [];
  afterAll(() => Promise.all(stages.map((stage) => stage.close())));
  return async (options) => {
    const stage = await sednaFixture(options);
    stages.push(stage);
    return stage;
  };
}

/** Starts a federation with two clients, two rounds, and deadlines of one minute. */
async function sednaFixture({
  rounds = {},
  options = {},
  layers = [
    { name: "a", shape: [2] },
    { name: "b", shape: [1] },
  ],
  maxNumSamples,
}: SednaStageOptions = {}): Promise<SednaStage> {
  const clock = manualClock();
  const peers: SednaPeer[] = [];
  const federation = createFederation({
    name: "digits",
    model: { layout: layers },
    aggregator: select(aggregation, { method: "FedAvg" }),
    rounds: {
      participants: 2,
      numRounds: 2,
      minFraction: 0.5,
      deadlineMs: 60_000,
      selectionMs: 10_000,
      ...rounds,
    },
    runtime: { now: clock.now, timers: clock.timers },
    limits: { maxNumSamples },
  });
  await federation.start();
  const cloud = createCloud({ services: [sednaAggregation({ federation, ...options })] });
  await cloud.start();
  const serving = await serve(cloud, { port: 0, sockets: { closeMs: 200 } });
  const url = `${serving.url}${options.path ?? "/FedAvg"}`;
  return {
    url,
    clock,
    federation,
    async join(clientId) {
      const peer = await sednaPeer(url, clientId);
      peers.push(peer);
      return peer;
    },
    accepted: () => federation.status().clients.filter(({ state }) => state === "accepted").length,
    async close() {
      for (const { socket } of peers) socket.terminate();
      await serving.close();
      await federation.close();
    },
  };
}

/** Resolves to the next result that a client receives. */
export async function receivedBy(peer: SednaPeer): Promise<ReceivedWeights> {
  const { data } = (await peer.nextOf("recv_weight")) as {
    data: { round_number: number; total_sample: number; weights: number[][]; exit_flag: string };
  };
  return { round: data.round_number, total: data.total_sample, weights: data.weights, flag: data.exit_flag };
}
