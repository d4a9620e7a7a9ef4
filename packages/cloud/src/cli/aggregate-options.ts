import { aggregation, select, type Aggregator, type TrainingPlan } from "@sedna-js/core";
import type { RoundSettings } from "@sedna-js/core/federation";
import type { LayerSpec } from "@sedna-js/core/training";
import { isFederationName } from "@sedna-js/core/wire";
import type { Head, UpdateEncoding } from "@sedna-js/wasm-kernels";
import { listOption, numberOption, pairsOption } from "./command-args.ts";
import type { FederationOptions } from "../federation/federation-options.ts";
import { UsageError } from "@sedna-js/core/check";

/** FLTrust asks for the change that a trusted data set makes, which no command line has. */
const rules = Object.keys(aggregation).filter((name) => name !== "FLTrust");

/** Parameters of rules that are no text. */
const givenByPrograms = ["initial", "random"];

/** Options that say what a federation trains and how; each as the command line has it. */
export const federationArgs = {
  name: { type: "string", description: "The federation's name, part of its address", default: "federation" },
  head: {
    type: "string",
    description:
      "What is trained, a head on features: softmax:FEATURESxCLASSES or mlp:FEATURESxHIDDENxCLASSES",
    valueHint: "softmax:64x10",
  },
  layers: {
    type: "string",
    description:
      "What is trained, in place of --head: any tensors in their order, NAME:SHAPE separated by commas",
    valueHint: "w:10x64,b:10",
  },
  aggregation: {
    type: "string",
    description: `How models are made of updates: ${rules.join(", ")}`,
    default: "FedAvg",
  },
  param: {
    type: "string",
    description: "The aggregation's parameters: key=value, separated by commas",
    valueHint: "key=value",
  },
  rounds: {
    type: "string",
    description: "Rounds with a model until it is done, Sedna's exit_round; 0 goes on for ever",
    default: "10",
  },
  participants: {
    type: "string",
    description: "Updates that a round wants, Sedna's participants_count",
    default: "2",
  },
  "deadline-s": {
    type: "string",
    description: "A round closes after so many seconds, whoever is missing",
    default: "120",
  },
  "selection-s": {
    type: "string",
    description: "Seconds that a round waits for all its clients before it opens with some",
    default: "10",
  },
  "min-fraction": {
    type: "string",
    description: "Share of the participants that must be there for a round to count",
    default: "0.7",
  },
  "over-select": {
    type: "string",
    description: "Clients that are asked for each update wanted, because some drop out",
    default: "1.3",
  },
  buffer: {
    type: "string",
    description:
      "Asynchronous, in place of rounds: a model of every so many updates, whichever model they started from",
  },
  "max-staleness": {
    type: "string",
    description: "Asynchronous: an update may have started from a model so many versions old",
    default: "10",
  },
  encoding: { type: "string", description: "How updates travel: f32, f16, int8 or topk", default: "f32" },
  "topk-share": {
    type: "string",
    description: "topk: share of the parameters that travels",
    default: "0.01",
  },
  "clip-norm": {
    type: "string",
    description: "L2 norm that larger updates are scaled down to",
  },
  "max-samples": {
    type: "string",
    description: "Samples that one client counts for at most",
    default: "100000",
  },
  epochs: { type: "string", description: "Epochs that a client trains in a round", default: "1" },
  "batch-size": { type: "string", description: "Samples a step of a client's training", default: "32" },
  "learning-rate": { type: "string", description: "Of a client's training", default: "0.1" },
  optimizer: { type: "string", description: "Of a client's training: sgd or adam", default: "sgd" },
  proximal: {
    type: "string",
    description: "FedProx: how strongly a client's training is held to the round's model",
    default: "0",
  },
} as const;

type Given = { readonly [Name in keyof typeof federationArgs]?: string | undefined };

const encodings: readonly UpdateEncoding[] = ["f32", "f16", "int8", "topk"];

/**
 * What a command line says of a federation.
 * @throws {UsageError} on what it cannot be.
 */
export function federationOptions(given: Given): FederationOptions {
  const number = (name: keyof Given, limits: Parameters<typeof numberOption>[1]): number =>
    numberOption({ name, text: given[name] ?? "" }, limits);
  const { name = "", encoding = "" } = given;
  if (!isFederationName(name))
    throw new UsageError(
      `--name: expected letters and digits with single hyphens or underscores between, at most 64; got ${name || "nothing"}`,
    );
  if (!encodings.includes(encoding as UpdateEncoding))
    throw new UsageError(`--encoding: expected one of ${encodings.join(", ")}; got ${encoding}`);
  const model = readModel(given);
  return {
    name,
    aggregator: readAggregator(given),
    model: { ...model, training: readTraining(given) },
    rounds: {
      numRounds: number("rounds", { min: 0 }),
      participants: number("participants", { min: 1 }),
      deadlineMs: 1000 * number("deadline-s", { min: 0.001, max: 2_000_000, integer: false }),
      selectionMs: 1000 * number("selection-s", { min: 0, max: 2_000_000, integer: false }),
      minFraction: number("min-fraction", { min: 0.000001, max: 1, integer: false }),
      overSelect: number("over-select", { min: 1, max: 100, integer: false }),
      buffered: given.buffer === undefined ? undefined : readBuffer(given),
    },
    uploads: {
      encoding: encoding as UpdateEncoding,
      topkShare:
        encoding === "topk"
          ? number("topk-share", { min: Number.MIN_VALUE, max: 1, integer: false })
          : undefined,
    },
    limits: {
      clipNorm:
        given["clip-norm"] === undefined
          ? undefined
          : number("clip-norm", { min: Number.MIN_VALUE, max: 1e30, integer: false }),
      maxNumSamples: number("max-samples", { min: 1 }),
    },
  };
}

function readBuffer(given: Given): NonNullable<RoundSettings["buffered"]> {
  const number = (name: keyof Given, limits: Parameters<typeof numberOption>[1]): number =>
    numberOption({ name, text: given[name] ?? "" }, limits);
  const overSelect = number("over-select", { min: 1, max: 100, integer: false });
  return {
    bufferSize: number("buffer", { min: 1 }),
    maxStaleness: number("max-staleness", { min: 0 }),
    concurrency: Math.max(1, Math.round(number("participants", { min: 1 }) * overSelect)),
  };
}

function readModel({
  head,
  layers,
}: Given): { readonly head: Head } | { readonly layout: readonly LayerSpec[] } {
  if ((head === undefined) === (layers === undefined))
    throw new UsageError(`expected --head or --layers; got ${head === undefined ? "neither" : "both"}`);
  if (head === undefined) return { layout: readLayers(layers!) };
  const [, kind, ...sizes] = /^(?:(softmax):(\d+)x(\d+)|mlp:(\d+)x(\d+)x(\d+))$/.exec(head) ?? [];
  const [features = 0, classes = 0, inputs = 0, hidden = 0, outputs = 0] = sizes.map(Number);
  const found: Head = kind
    ? { kind: "softmax", features, classes }
    : { kind: "mlp", features: inputs, hidden, classes: outputs };
  if (Object.values(found).some((size) => typeof size === "number" && !(size >= 1 && size <= 0xffffff))) {
    throw new UsageError(
      `--head: expected softmax:FEATURESxCLASSES or mlp:FEATURESxHIDDENxCLASSES with sizes from 1 to 16777215; got ${head || "nothing"}`,
    );
  }
  return { head: found };
}

function readLayers(text: string): LayerSpec[] {
  const layers = listOption(text).map((part): LayerSpec => {
    const [, name, shape] = /^([\w./-]+):((?:\d+(?:x\d+)*)?)$/.exec(part) ?? [];
    if (name === undefined || shape === undefined)
      throw new UsageError(
        `--layers: expected NAME:SHAPE such as w:10x64, separated by commas; got ${JSON.stringify(part)}`,
      );
    return { name, shape: shape === "" ? [] : shape.split("x").map(Number) };
  });
  if (layers.length === 0)
    throw new UsageError("--layers: expected NAME:SHAPE such as w:10x64, separated by commas; got nothing");
  return layers;
}

function readAggregator({ aggregation: method = "", param }: Given): Aggregator {
  if (!rules.includes(method))
    throw new UsageError(`--aggregation: expected one of ${rules.join(", ")}; got ${method || "nothing"}`);
  const values = pairsOption({ name: "param", text: param });
  // A misspelt clipNorm would be no clipping, in silence: each rule is asked for what it reads.
  const read = new Set<PropertyKey>();
  const watched = new Proxy(values, {
    get: (target, key) => (read.add(key), Reflect.get(target, key) as unknown),
  });
  try {
    const rule = select(aggregation, { method: method as keyof typeof aggregation, param: watched as never });
    const known = [...read].map(String).filter((key) => !givenByPrograms.includes(key));
    const unknown = Object.keys(values).find((key) => !known.includes(key));
    if (unknown !== undefined)
      throw new UsageError(
        `--param: expected ${known.join(", ") || "none"}, the parameters of ${method}; got ${unknown}`,
      );
    return rule;
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError
      ? new UsageError(`--param: ${error.message}`)
      : error;
  }
}

function readTraining(given: Given): TrainingPlan {
  const number = (name: keyof Given, limits: Parameters<typeof numberOption>[1]): number =>
    numberOption({ name, text: given[name] ?? "" }, limits);
  const { optimizer: kind = "" } = given;
  if (kind !== "sgd" && kind !== "adam")
    throw new UsageError(`--optimizer: expected sgd or adam; got ${kind || "nothing"}`);
  const proximal = number("proximal", { min: 0, max: 1e6, integer: false });
  return {
    epochs: number("epochs", { min: 1, max: 100_000 }),
    batchSize: number("batch-size", { min: 1 }),
    optimizer: { kind, learningRate: number("learning-rate", { min: 1e-30, max: 1e6, integer: false }) },
    ...(proximal > 0 && { proximal }),
  };
}
