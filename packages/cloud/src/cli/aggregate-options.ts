import { aggregation, select, type Aggregator, type TrainingPlan } from "@sedna-js/core";
import type { RoundSettings } from "@sedna-js/core/federation";
import type { LayerSpec } from "@sedna-js/core/training";
import { isFederationName } from "@sedna-js/core/wire";
import type { Head, UpdateEncoding } from "@sedna-js/wasm-kernels";
import { listOption, numberOption, pairsOption } from "./command-args.ts";
import type { FederationOptions } from "../federation/federation-options.ts";
import { type ParameterTable, textParameters, unknownParameter, UsageError } from "@sedna-js/core/check";
import { messageOf } from "@sedna-js/core/errors";

type RuleName = keyof typeof aggregation;

/** The rules that a command line can select: those whose required parameters can be written as text. */
const rules = (Object.keys(aggregation) as RuleName[]).filter((name) => {
  const parameters: ParameterTable = aggregation[name].parameters;
  return Object.values(parameters).every(({ required, isText }) => isText || !required);
});

const isRule = (name: string): name is RuleName => rules.includes(name as RuleName);

const ruleParameters = rules
  .map((name) => `${name}: ${textParameters(aggregation[name].parameters).join(", ") || "none"}`)
  .join("; ");

/** Command-line options that define what a federation trains and how. */
export const federationArgs = {
  name: { type: "string", description: "The federation's name, part of its URL", default: "federation" },
  head: {
    type: "string",
    description:
      "The model to train, a head on features: softmax:FEATURESxCLASSES or mlp:FEATURESxHIDDENxCLASSES",
    valueHint: "softmax:64x10",
  },
  layers: {
    type: "string",
    description:
      "The model to train, instead of --head: tensors in their order, NAME:SHAPE separated by commas",
    valueHint: "w:10x64,b:10",
  },
  aggregation: {
    type: "string",
    description: `The rule that combines updates into a model: ${rules.join(", ")}`,
    default: "FedAvg",
  },
  param: {
    type: "string",
    description: `Parameters of the aggregation rule: key=value, separated by commas. ${ruleParameters}`,
    valueHint: "key=value",
  },
  rounds: {
    type: "string",
    description:
      "Number of rounds with a model before the federation is done, Sedna's exit_round; 0 for no limit",
    default: "10",
  },
  participants: {
    type: "string",
    description: "Target number of updates per round, Sedna's participants_count",
    default: "2",
  },
  "deadline-s": {
    type: "string",
    description: "Seconds after which a round closes, even if updates are missing",
    default: "120",
  },
  "selection-s": {
    type: "string",
    description: "Seconds that a round waits for all its clients before it starts with fewer",
    default: "10",
  },
  "min-fraction": {
    type: "string",
    description: "Share of the participants whose updates a round needs to produce a model",
    default: "0.7",
  },
  "over-select": {
    type: "string",
    description: "Clients selected per wanted update, because some drop out",
    default: "1.3",
  },
  buffer: {
    type: "string",
    description:
      "Asynchronous mode, instead of rounds: number of updates per model, from any recent model version",
  },
  "max-staleness": {
    type: "string",
    description: "Asynchronous mode: maximum age of the model that an update started from, in versions",
    default: "10",
  },
  encoding: { type: "string", description: "Encoding of updates: f32, f16, int8 or topk", default: "f32" },
  "topk-share": {
    type: "string",
    description: "topk: share of the parameters that is sent",
    default: "0.01",
  },
  "clip-norm": {
    type: "string",
    description: "L2 norm that larger updates are scaled down to",
  },
  "max-samples": {
    type: "string",
    description: "Maximum number of samples by which one client is weighted",
    default: "100000",
  },
  epochs: { type: "string", description: "Epochs that a client trains per round", default: "1" },
  "batch-size": { type: "string", description: "Samples per step of a client's training", default: "32" },
  "learning-rate": { type: "string", description: "Learning rate of a client's training", default: "0.1" },
  optimizer: { type: "string", description: "Optimizer of a client's training: sgd or adam", default: "sgd" },
  proximal: {
    type: "string",
    description: "FedProx: weight of the term that keeps a client's training close to the round's model",
    default: "0",
  },
} as const;

type Given = { readonly [Name in keyof typeof federationArgs]?: string | undefined };

const encodings: readonly UpdateEncoding[] = ["f32", "f16", "int8", "topk"];

/**
 * Reads the options of a federation from a command line.
 * @throws {UsageError} If an option is invalid.
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
  if (!isRule(method))
    throw new UsageError(`--aggregation: expected one of ${rules.join(", ")}; got ${method || "nothing"}`);
  const values = pairsOption({ name: "param", text: param });
  const { parameters } = aggregation[method];
  const unknown = unknownParameter(parameters, values);
  if (unknown !== undefined)
    throw new UsageError(
      `--param: expected ${textParameters(parameters).join(", ") || "none"}, the parameters of ${method}; got ${unknown}`,
    );
  try {
    return select(aggregation, { method, param: values as never });
  } catch (error) {
    throw new UsageError(`--param: ${messageOf(error)}`);
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
