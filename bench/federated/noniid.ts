import { aggregation, select } from "@sedna-js/core";
import { createUpdateEncoder, modelUpdate } from "@sedna-js/core/update-codec";
import { readUpdateMessage, type FederationPlan } from "@sedna-js/core/wire";
import { loadTrainingKernels, loadVectorKernels, type UpdateEncoding } from "@sedna-js/wasm-kernels";
import { accuracyOf, digitsHead, federatedDigits, trainCentrally, type FederatedDigits } from "./digits.ts";
import type { Figure } from "../result.ts";

const CLIENTS = 10;
const ALPHA = 0.1;
const ROUNDS = 300;
const EPOCHS = 40;
const SEED = 7;
const optimizer = { kind: "sgd", learningRate: 0.5 } as const;
/** Number of last rounds and epochs to average, because a single one varies by half a point. */
const LAST = 10;

/** Accuracy on held-out digits by round, for one federated method. */
export interface FederatedCurve {
  readonly name: string;
  readonly accuracy: readonly number[];
  /** Bytes of all updates. */
  readonly bytes: number;
}

/** The results of the experiment: ten clients with unlike digits. */
export interface NonIidResult {
  readonly samplesOfClients: readonly number[];
  readonly centrally: readonly number[];
  readonly curves: readonly FederatedCurve[];
}

/**
 * Trains centrally and in federations of ten clients with Dirichlet alpha 0.1. Each round is one epoch at
 * each client, and updates are encoded as messages.
 */
export async function nonIid(): Promise<NonIidResult> {
  const digits = await federatedDigits({ clients: CLIENTS, alpha: ALPHA, seed: SEED });
  using training = await loadTrainingKernels();
  const centrally = trainCentrally(training, { digits, epochs: EPOCHS, optimizer });
  const ways = [
    { name: "FedAvg", proximal: 0, encoding: "f32" },
    { name: "FedProx, mu 0.3", proximal: 0.3, encoding: "f32" },
    { name: "FedProx, mu 0.3, int8", proximal: 0.3, encoding: "int8" },
  ] as const;
  const curves: FederatedCurve[] = [];
  for (const { name, ...way } of ways) curves.push({ name, ...(await trainTogether({ digits, ...way })) });
  return { samplesOfClients: digits.shares.map(({ labels }) => labels.length), centrally, curves };
}

async function trainTogether({
  digits,
  proximal,
  encoding,
}: {
  readonly digits: FederatedDigits;
  readonly proximal: number;
  readonly encoding: UpdateEncoding;
}): Promise<{ accuracy: number[]; bytes: number }> {
  using training = await loadTrainingKernels();
  using kernels = await loadVectorKernels();
  const trainers = digits.shares
    .filter(({ labels }) => labels.length > 0)
    .map((share) => ({
      numSamples: share.labels.length,
      trainer: training.headTrainer({ head: digitsHead, ...share, optimizer, proximal }),
    }));
  const judge = training.headTrainer({
    head: digitsHead,
    samples: digits.heldOut.samples,
    labels: digits.heldOut.labels,
  });
  const plan = { encoding } as FederationPlan;
  const encoders = trainers.map(() => createUpdateEncoder({ plan, length: judge.length }));
  const aggregator = select(aggregation, { method: "FedAvg" });
  let model: Float32Array = judge.weights();
  let serverState: Float32Array | undefined;
  let bytes = 0;
  const accuracy: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const sum = aggregator.createAccumulator({
      kernels,
      base: model,
      capacity: trainers.length,
      serverState,
      random: Math.random,
    });
    for (const [i, { numSamples, trainer }] of trainers.entries()) {
      trainer.setWeights(model);
      trainer.epoch();
      const change = trainer.weights().map((weight, at) => weight - model[at]!);
      const { message, commit } = encoders[i]!.encode(change, { round, modelVersion: round - 1, numSamples });
      const { head, payload } = readUpdateMessage(message);
      sum.add(modelUpdate(head, payload), { weight: numSamples, client: String(i) });
      commit();
      bytes += message.length;
    }
    ({ model, serverState } = sum.finish());
    sum.dispose();
    judge.setWeights(model);
    accuracy.push(accuracyOf(judge, digits.heldOut));
  }
  return { accuracy, bytes };
}

/** Returns the mean over the last rounds or epochs. */
export const settled = (accuracy: readonly number[]): number =>
  accuracy.slice(-LAST).reduce((sum, one) => sum + one, 0) / LAST;

/** Measures the accuracy of ten unlike clients, compared with central training. */
export async function benchFederatedNonIid(): Promise<Figure[]> {
  const { centrally, curves } = await nonIid();
  const name = "federated-noniid";
  const central = settled(centrally);
  const [plain, , small] = curves.map(({ bytes }) => bytes);
  const points = (share: number): number => 100 * share;
  return [
    { name, metric: "centrally trained", value: points(central), unit: "% right" },
    ...curves.map(({ name: way, accuracy }): Figure => ({
      name,
      metric: way,
      value: points(settled(accuracy)),
      unit: "% right",
    })),
    {
      name,
      metric: "points below centralised, the best in float32",
      value: points(central - Math.max(...curves.slice(0, 2).map(({ accuracy }) => settled(accuracy)))),
      unit: "points",
    },
    { name, metric: "bytes of int8", value: small! / plain!, unit: "of float32's" },
    {
      name,
      metric: "points lost by int8",
      value: points(settled(curves[1]!.accuracy) - settled(curves[2]!.accuracy)),
      unit: "points",
    },
  ];
}
