import {
  flatLength,
  headLayout,
  parseFederationPlan,
  roundSettings,
  roundTargets,
  type Aggregator,
  type FederationPlan,
  type FederationPrivacy,
  type LayerSpec,
  type RoundSettings,
  type TrainingPlan,
} from "@sedna-js/core";
import type { Head, UpdateEncoding, VectorKernels } from "@sedna-js/wasm-kernels";
import type { Logger } from "../http/service.ts";
import type { FederationLog } from "./log/federation-log.ts";
import { leastClients, type SecureOptions } from "./rounds/secure-rounds.ts";
import type { Timers } from "./timers.ts";
import type { UpdateLimits } from "./uploads/update-checks.ts";

/** Options of {@link createFederation}. */
export interface FederationOptions {
  /** Letters and digits with single hyphens or underscores between, at most 64; part of its address. */
  readonly name: string;
  /** What is trained, where it is one of our heads; otherwise `layout` says. */
  readonly head?: Head;
  readonly layout?: readonly LayerSpec[];
  /** Default: 1 epoch of batches of 32, SGD with a learning rate of 0.1. */
  readonly training?: TrainingPlan;
  readonly aggregator: Aggregator;
  readonly rounds?: Partial<RoundSettings>;
  /** How updates travel. Default f32. */
  readonly encoding?: UpdateEncoding;
  /** topk: share of the parameters that travels. Default 0.01. */
  readonly topkShare?: number;
  /** Flat. Default: zeros; for an MLP those that a head trainer of the seed starts from. */
  readonly initialModel?: Float32Array;
  /** Default: one in memory, with which a restart begins anew. */
  readonly log?: FederationLog;
  /** Keeps every update that was counted in the log, so that models can be made again from it. Default false. */
  readonly keepUpdates?: boolean;
  /** Updates that a death may lose, whose clients then send them again; and for how long, in ms. Default 64 and 2000. */
  readonly checkpoint?: {
    readonly updates?: number;
    readonly ms?: number;
    /** Events after which the log begins anew between two rounds, unless updates are kept. Default 50000. */
    readonly events?: number;
  };
  /** What choices are drawn from. Default: the clock. */
  readonly seed?: number;
  /** Updates in memory at once, while they come in: slow clients of a large model wait for each other. Default: as many as fit into 32 MiB, 8 to 256. */
  readonly maxParallelUploads?: number;
  /** Uploads that wait for their turn; more are sent away for a while. Default 8 for each in memory. One that waits costs some 64 KiB. */
  readonly maxWaitingUploads?: number;
  /** An upload that brings nothing for so long loses its place, in ms. Default 10000. */
  readonly uploadIdleMs?: number;
  /** Largest message of an update. Default: what the plan's encoding needs, and 4 KiB. */
  readonly maxUpdateBytes?: number;
  /** Most samples that one client counts for. Default 1e5. */
  readonly maxNumSamples?: number;
  /** A longer update counts as if it were scaled down to this Euclidean length. Default: none is scaled. */
  readonly maxNorm?: number;
  /** An update that is so many times longer than `maxNorm` is refused. Default 10. */
  readonly refuseBeyond?: number;
  /** A client that has neither asked nor sent for so long is taken for gone, in ms. Default 90000. */
  readonly absentMs?: number;
  /** Sums updates so that the aggregator learns of each round the sum and of no client more. For rules that need the mean only. Default: it does not. */
  readonly secure?: SecureOptions;
  /** What its rounds cost, where the aggregator is private. */
  readonly privacy?: FederationPrivacy;
  readonly kernels?: VectorKernels;
  readonly logger?: Logger;
  /** Unix ms. Default: the clock as it was at first, and monotone from there. */
  readonly now?: () => number;
  /** Uniform in [0,1), for rules that draw. */
  readonly random?: () => number;
  readonly timers?: Timers;
}

/** What follows from {@link FederationOptions}. */
export interface FederationSetup {
  readonly plan: FederationPlan;
  readonly settings: RoundSettings;
  readonly limits: UpdateLimits;
  /** Parameters. */
  readonly length: number;
}

const HEAD_ROOM = 4096;
const BYTES = { f32: 4, f16: 2, int8: 1, topk: 8 } as const;

/**
 * Checks the options and draws up the plan.
 * @throws {TypeError} or {RangeError} on options that do not go together; {WireError} on a plan that no client would take.
 */
export function setUpFederation(options: FederationOptions): FederationSetup {
  const {
    name,
    head,
    aggregator,
    training = { epochs: 1, batchSize: 32, optimizer: { kind: "sgd", learningRate: 0.1 } },
    encoding = "f32",
    maxNumSamples = 100_000,
    maxNorm,
    refuseBeyond = 10,
  } = options;
  const layout =
    options.layout ?? (head && headLayout(head).map(({ name: tensor, shape }) => ({ name: tensor, shape })));
  if (!layout) throw new TypeError("make a federation: expected a head or a layout; got neither");
  const settings = roundSettings(options.rounds);
  if (options.secure) checkSecure({ ...options, encoding, settings });
  const length = flatLength(layout);
  const topkShare = encoding === "topk" ? (options.topkShare ?? 0.01) : undefined;
  const entries = topkShare === undefined ? undefined : Math.max(1, Math.ceil(length * topkShare));
  const plan = parseFederationPlan({
    protocol: 1,
    name,
    layout,
    ...(head && { head }),
    training,
    aggregation: aggregator.name,
    mode: settings.buffered ? "buffered" : "rounds",
    protection: options.secure ? "secure-sum" : "open",
    encoding,
    ...(topkShare !== undefined && { topkShare }),
    ...(maxNorm !== undefined && { clipNorm: maxNorm }),
    exitRound: settings.exitRound,
    participants: settings.participants,
    maxUpdateBytes: options.maxUpdateBytes ?? BYTES[encoding] * (entries ?? length) + HEAD_ROOM,
    maxNumSamples,
  });
  const { initialModel } = options;
  if (initialModel && initialModel.length !== length)
    throw new RangeError(
      `make a federation: expected an initial model of ${length} parameters; got ${initialModel.length}`,
    );
  if (initialModel && !initialModel.every(Number.isFinite))
    throw new RangeError("make a federation: expected a finite initial model; got NaN or an infinity in it");
  const { goal } = roundTargets(settings);
  if (goal < aggregator.minClients)
    throw new RangeError(
      `make a federation: expected at least ${aggregator.minClients} ${settings.buffered ? "updates in the buffer" : "participants"} for ${aggregator.name}; got ${goal}`,
    );
  return {
    plan,
    settings,
    length,
    limits: {
      length,
      encoding,
      entries,
      maxNumSamples,
      ...(maxNorm !== undefined && { clipNorm: maxNorm, refuseNorm: maxNorm * refuseBeyond }),
    },
  };
}

/** A sum is all that a secure federation has: what needs more is refused now, and not after the first round. */
function checkSecure({
  aggregator,
  encoding,
  settings,
  secure,
  privacy,
}: Pick<FederationOptions, "aggregator" | "secure" | "privacy"> & {
  readonly encoding: UpdateEncoding;
  readonly settings: RoundSettings;
}): void {
  if (!aggregator.needsSumOnly)
    throw new TypeError(
      `make a secure federation: expected a rule that needs the mean only; got ${aggregator.name}`,
    );
  if (settings.buffered)
    throw new TypeError(
      "make a secure federation: expected rounds; got the buffered mode, in which clients do not meet",
    );
  if (encoding !== "f32")
    throw new TypeError(
      `make a secure federation: expected the encoding f32, which is quantised by itself; got ${encoding}`,
    );
  const { minimum, selection } = roundTargets(settings);
  const { minClients = leastClients(minimum) } = secure ?? {};
  if (selection < minClients)
    throw new RangeError(
      `make a secure federation: expected rounds that ask at least ${minClients} clients; got ${selection}, of participants times overSelect`,
    );
  // A client with a larger weight would move the mean further than the noise is for.
  if (privacy && (secure?.maxWeight ?? 1) !== 1)
    throw new TypeError(
      "make a secure federation: expected maxWeight 1 beside differential privacy; got more",
    );
}
