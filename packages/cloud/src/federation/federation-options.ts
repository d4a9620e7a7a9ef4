import type { Aggregator, TrainingPlan } from "@sedna-js/core";
import { roundSettings, type RoundSettings, roundTargets } from "@sedna-js/core/federation";
import { headLayout } from "@sedna-js/core/heads";
import type { FederationPrivacy } from "@sedna-js/core/privacy";
import type { LayerSpec } from "@sedna-js/core/training";
import { flatLength, parseFederationPlan } from "@sedna-js/core/wire";
import type { Head, UpdateEncoding, VectorKernels } from "@sedna-js/wasm-kernels";
import type { Logger } from "../http/service.ts";
import type { Timers } from "../timers.ts";
import type { FederationSetup } from "./federation-setup.ts";
import type { CheckpointOptions, FederationLog } from "./log/federation-log.ts";
import { minSecureClients, type SecureOptions } from "./rounds/secure-options.ts";

/** The model that a federation trains. Either `head` or `layout` is required. */
export interface FederationModelOptions {
  /** One of the project's heads; its layout follows from it. */
  readonly head?: Head;
  /** The tensors of any other model, in the order of the flat parameters. */
  readonly layout?: readonly LayerSpec[];
  /**
   * Flat initial parameters. Default: zeros, and for an MLP the start of a head trainer with the same seed.
   */
  readonly initial?: Float32Array;
  /** How clients train in a round. Default: 1 epoch of batches of 32, SGD with a learning rate of 0.1. */
  readonly training?: TrainingPlan;
}

/** What one client may contribute, and how long it may be silent. */
export interface FederationLimitOptions {
  /** Size of the largest update message, in bytes. Default: what the encoding needs plus 4 KiB. */
  readonly maxUpdateBytes?: number;
  /** Largest sample count that one client may report. Default 1e5. */
  readonly maxNumSamples?: number;
  /** Updates with a larger L2 norm are scaled down to it. Default: no clipping. */
  readonly clipNorm?: number;
  /** Updates with a larger L2 norm are rejected. Default: ten times `clipNorm`. */
  readonly maxUpdateNorm?: number;
  /** Silence after which a client counts as absent, in ms. Default 90000. */
  readonly absentMs?: number;
}

/** How updates are encoded, and how much memory they may take while they arrive. */
export interface FederationUploadOptions {
  /** Encoding of the updates. Default f32. */
  readonly encoding?: UpdateEncoding;
  /** topk: share of the parameters in an update, above 0 up to 1. Default 0.01. */
  readonly topkShare?: number;
  /**
   * Upload slots: updates in memory at once. Slow clients of a large model wait for each other. Default: as
   * many as fit into 32 MiB, at least 8 and at most 256.
   */
  readonly maxParallel?: number;
  /**
   * Uploads that may wait for a slot, about 64 KiB each; further ones are told when to retry. Default 8 per
   * slot.
   */
  readonly maxWaiting?: number;
  /** Time without data after which an upload loses its slot, in ms. Default 10000. */
  readonly idleMs?: number;
}

/** Where a federation keeps its state. */
export interface FederationStorageOptions {
  /** Default: memory, which a restart clears. */
  readonly log?: FederationLog;
  /** Keeps every accepted update in the log, so that `recomputeModel` can audit the models. Default false. */
  readonly keepUpdates?: boolean;
  /** How much a crash may lose. Clients send lost updates again. */
  readonly checkpoint?: CheckpointOptions;
}

/** How clients' data is protected from the aggregator and from the readers of the model. */
export interface FederationPrivacyOptions {
  /**
   * Secure aggregation: the aggregator learns the sum of a round's updates only. For rules that need the mean
   * only.
   */
  readonly secureAggregation?: SecureOptions;
  /** Accounts for the rounds of a `privateAggregator`, which returns this value. */
  readonly differential?: FederationPrivacy;
}

/** What the surrounding program provides. */
export interface FederationRuntimeOptions {
  /** Loaded at the start and disposed at the end if absent. */
  readonly kernels?: VectorKernels;
  readonly logger?: Logger;
  /** Unix time in ms. Default: the wall clock at the start plus a monotonic clock. */
  readonly now?: () => number;
  /** Uniform in [0, 1), for aggregation rules that draw. Default `Math.random`. */
  readonly random?: () => number;
  readonly timers?: Timers;
  /** Seed of client selection and of the initial model. Default: the clock. */
  readonly seed?: number;
}

/** Options of {@link createFederation}. */
export interface FederationOptions {
  /** Letters and digits with single hyphens or underscores between, at most 64; part of the URL. */
  readonly name: string;
  readonly aggregator: Aggregator;
  readonly model: FederationModelOptions;
  readonly rounds?: Partial<RoundSettings>;
  readonly limits?: FederationLimitOptions;
  readonly uploads?: FederationUploadOptions;
  readonly storage?: FederationStorageOptions;
  readonly privacy?: FederationPrivacyOptions;
  readonly runtime?: FederationRuntimeOptions;
}

const MESSAGE_HEAD_BYTES = 4096;

const BYTES_PER_ENTRY = { f32: 4, f16: 2, int8: 1, topk: 8 } as const;

const DEFAULT_TRAINING: TrainingPlan = {
  epochs: 1,
  batchSize: 32,
  optimizer: { kind: "sgd", learningRate: 0.1 },
};

/**
 * Checks the options and derives the plan that clients receive.
 *
 * @throws {TypeError} If options contradict each other.
 * @throws {RangeError} If a value is out of range.
 * @throws {WireError} If no client would accept the plan.
 */
export function setUpFederation(options: FederationOptions): FederationSetup {
  const { name, aggregator, model, uploads = {}, limits = {}, privacy = {} } = options;
  const { encoding = "f32" } = uploads;
  const { maxNumSamples = 100_000, clipNorm } = limits;
  const layout = layoutOf(model);
  const length = flatLength(layout);
  const settings = roundSettings(options.rounds);
  if (privacy.secureAggregation) checkSecure({ aggregator, encoding, settings, privacy });
  const topkShare = encoding === "topk" ? (uploads.topkShare ?? 0.01) : undefined;
  const entries = topkShare === undefined ? undefined : Math.max(1, Math.ceil(length * topkShare));
  const plan = parseFederationPlan({
    protocol: 1,
    name,
    layout,
    ...(model.head && { head: model.head }),
    training: model.training ?? DEFAULT_TRAINING,
    aggregation: aggregator.name,
    mode: settings.buffered ? "buffered" : "rounds",
    protection: privacy.secureAggregation ? "secure-aggregation" : "none",
    encoding,
    topkShare,
    clipNorm,
    numRounds: settings.numRounds,
    participants: settings.participants,
    maxUpdateBytes:
      limits.maxUpdateBytes ?? BYTES_PER_ENTRY[encoding] * (entries ?? length) + MESSAGE_HEAD_BYTES,
    maxNumSamples,
  });
  checkInitial(model.initial, length);
  checkCohort(aggregator, settings);
  return {
    plan,
    settings,
    length,
    limits: { length, encoding, entries, maxNumSamples, clipNorm, maxUpdateNorm: maxNormOf(limits) },
  };
}

function layoutOf({ head, layout }: FederationModelOptions): readonly LayerSpec[] {
  const specs = layout ?? (head && headLayout(head).map(({ name, shape }) => ({ name, shape })));
  if (!specs) throw new TypeError("create a federation: expected model.head or model.layout; got neither");
  return specs;
}

function checkInitial(initial: Float32Array | undefined, length: number): void {
  if (!initial) return;
  if (initial.length !== length)
    throw new RangeError(
      `create a federation: expected an initial model of ${length} parameters; got ${initial.length}`,
    );
  if (!initial.every(Number.isFinite))
    throw new RangeError("create a federation: expected a finite initial model; got NaN or an infinity");
}

function checkCohort(aggregator: Aggregator, settings: RoundSettings): void {
  const { goal } = roundTargets(settings);
  if (goal < aggregator.minClients)
    throw new RangeError(
      `create a federation: expected at least ${aggregator.minClients} ${settings.buffered ? "updates in the buffer" : "participants"} for ${aggregator.name}; got ${goal}`,
    );
}

function maxNormOf({ clipNorm, maxUpdateNorm }: FederationLimitOptions): number | undefined {
  if (maxUpdateNorm === undefined) return clipNorm === undefined ? undefined : 10 * clipNorm;
  if (!(maxUpdateNorm > 0) || (clipNorm !== undefined && maxUpdateNorm < clipNorm))
    throw new RangeError(
      `create a federation: expected maxUpdateNorm above 0 and at least clipNorm; got ${maxUpdateNorm}`,
    );
  return maxUpdateNorm;
}

interface SecureCheck {
  readonly aggregator: Aggregator;
  readonly encoding: UpdateEncoding;
  readonly settings: RoundSettings;
  readonly privacy: FederationPrivacyOptions;
}

/**
 * Secure aggregation yields a sum only, so a rule that needs more is rejected here and not after the first
 * round.
 */
function checkSecure({ aggregator, encoding, settings, privacy }: SecureCheck): void {
  if (!aggregator.needsSumOnly)
    throw new TypeError(
      `create a federation with secure aggregation: expected a rule that needs the mean only; got ${aggregator.name}`,
    );
  if (settings.buffered)
    throw new TypeError(
      "create a federation with secure aggregation: expected rounds; got the buffered mode, in which clients do not share a round",
    );
  if (encoding !== "f32")
    throw new TypeError(
      `create a federation with secure aggregation: expected the encoding f32, which is quantized on the way; got ${encoding}`,
    );
  const { minimum, selection } = roundTargets(settings);
  const { minClients = minSecureClients(minimum), maxWeight = 1 } = privacy.secureAggregation ?? {};
  if (selection < minClients)
    throw new RangeError(
      `create a federation with secure aggregation: expected rounds that select at least ${minClients} clients; got ${selection}, participants times overSelect`,
    );
  // A client with a larger weight would move the mean further than the noise covers.
  if (privacy.differential && maxWeight !== 1)
    throw new TypeError(
      "create a federation with secure aggregation: expected maxWeight 1 beside differential privacy; got more",
    );
}
