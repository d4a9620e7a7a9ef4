import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Estimator, Frame } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import type { MistnetPlan } from "@sedna-js/core/wire";
import { afterAll, expect } from "vitest";
import { memoryFederationLog } from "../../packages/cloud/src/federation/log/memory-federation-log.ts";
import { createCloud } from "../../packages/cloud/src/http/create-cloud.ts";
import { mistnetService } from "../../packages/cloud/src/mistnet/mistnet-service.ts";
import {
  createEdgeAgent,
  createFederatedLearning,
  createJointInference,
  createMistnetEdge,
} from "../../packages/edge-agent/src/index.ts";
import { countingEstimator, fakeFederation, fourParameters, someSamples } from "../fakes/fake-federation.ts";
import { paradigmSuite } from "../suites/paradigm-suite.ts";

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

/** Yields frames without end. */
async function* frames(): AsyncGenerator<Frame> {
  for (let i = 0; ; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield pixelsFrame({ width: 2, height: 2, data: new Uint8ClampedArray(16) }, { timestamp: i });
  }
}
const dispose = async (): Promise<void> => {};
const estimator: Estimator<Frame, never[]> = {
  load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "none" }),
  predict: async () => [],
  dispose,
  [Symbol.asyncDispose]: dispose,
};

paradigmSuite("joint inference", () => {
  const paradigm = createJointInference<Frame, never[]>({ estimator });
  return {
    paradigm,
    run: (options) => paradigm.run(frames(), options),
    started: () => expect.poll(() => paradigm.status().inferenceNumber).toBeGreaterThan(0),
  };
});

paradigmSuite("the edge agent", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sedna-paradigm-"));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  const paradigm = createEdgeAgent<never[]>({
    name: "gate",
    directory,
    source: frames,
    model: { estimator },
  });
  return {
    paradigm,
    run: (options) => paradigm.run(options),
    started: () => expect.poll(() => paradigm.status().joint.inferenceNumber).toBeGreaterThan(0),
  };
});

paradigmSuite("federated learning", () => {
  // The second participant never joins, so the round does not close.
  const paradigm = createFederatedLearning<number, number>({
    estimator: countingEstimator(),
    transport: fakeFederation({ plan: { ...fourParameters, participants: 2 } }).transport("one"),
    device: "one",
  });
  return {
    paradigm,
    run: (options) => paradigm.run(someSamples(10), options),
    started: () => expect.poll(() => paradigm.status().accepted).toBe(1),
  };
});

const plan: MistnetPlan = {
  protocol: 1,
  name: "doors",
  cutLayer: "features",
  head: { kind: "softmax", features: 2, classes: 2 },
  mechanism: "laplace",
  epsilon: 20,
  delta: 0,
  labelShare: 0.2,
  bound: 2,
  maxRecords: 500,
};

paradigmSuite("MistNet's edge", async () => {
  // The other participant never uploads, so the edge waits for the head.
  const service = mistnetService({
    plan,
    store: memoryFederationLog(),
    participants: 2,
    deadlineAt: Date.now() + 3_600_000,
  });
  const cloud = createCloud({ services: [service] });
  await cloud.start();
  const paradigm = createMistnetEdge({
    url: "http://127.0.0.1",
    name: plan.name,
    device: "a",
    maxEpsilon: 20,
    fetch: async (url, init) => cloud(new Request(url, init)),
  });
  const records = { features: new Float32Array(4), labels: new Uint32Array(2) };
  return {
    paradigm,
    run: (options) => paradigm.run(async () => records, options),
    started: () => expect.poll(() => paradigm.status().state).toBe("waiting"),
  };
});
