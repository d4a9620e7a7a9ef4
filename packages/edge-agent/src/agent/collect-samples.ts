import { SednaError, type Frame, type JointResult } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { writeSampleUpload, type ModelManifest } from "@sedna-js/core/wire";
import { hasConsent } from "../privacy/private-frame.ts";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import { sampleForQueue } from "../privacy/sample-for-queue.ts";
import { copySample } from "../frames/copy-sample.ts";
import type { NewItem } from "../queue/durable-queue.ts";
import type { LifecycleEvent } from "./agent-events.ts";

/** Options of {@link collectSamples}. */
export interface CollectOptions<Result> {
  /** Stores an item now, or as soon as the queue is open. */
  readonly enqueue: (item: NewItem) => Promise<void>;
  readonly device: string;
  readonly privacy: PrivacyPolicy<Frame, Result>;
  readonly model: () => Pick<ModelManifest, "name" | "version">;
  readonly onEvent: (event: LifecycleEvent) => void;
}

/** Adds hard examples to the queue; see {@link collectSamples}. */
export interface Collector<Result> {
  /** Reads the required parts of the sample during the call, then stores them in the background. */
  collect(answer: JointResult<Result, Frame>): void;
  /** Resolves when no sample is being encoded or stored. */
  idle(): Promise<void>;
}

/** Maximum number of samples encoded at once. More would delay the frames behind them. */
const MAX_ENCODING = 2;
/**
 * Maximum number of samples being encoded or stored. Hard examples come in bursts, and a disk may be slow.
 */
const MAX_UNDER_WAY = 32;

/**
 * Creates a collector that reduces hard examples to what the privacy policy permits and queues them, without
 * delaying later frames.
 */
export function collectSamples<Result>({
  enqueue,
  device,
  privacy,
  model,
  onEvent,
}: CollectOptions<Result>): Collector<Result> {
  const underWay = new Set<Promise<void>>();
  let encoding = 0;

  /**
   * A result and the model that produced it, both captured at collection. An update may replace the model
   * before the sample is stored.
   */
  type Collected = Pick<JointResult<Result, Frame>, "sample" | "edgeResult" | "reason"> & {
    readonly policy: PrivacyPolicy<Frame, Result>;
    readonly by: Pick<ModelManifest, "name" | "version">;
  };
  const encode = async (
    frame: Frame,
    { edgeResult, reason, policy, by: { name, version } }: Collected,
  ): Promise<NewItem | undefined> => {
    const allowed = await sampleForQueue({ frame, result: edgeResult, policy });
    if (allowed === undefined) return undefined;
    const { bytes: payload, ...what } = allowed;
    const head = { device, reason, ...(version === 0 ? {} : { model: { name, version } }), ...what };
    return { kind: "sample", privacyKind: what.kind, body: writeSampleUpload({ head, payload }) };
  };
  /**
   * Encodes from a copy made during this call: the frame is closed as soon as the consumer has received its
   * result.
   */
  const encodeCopy = async (collected: Collected): Promise<NewItem | undefined> => {
    const policy = policyFor(privacy, collected);
    const held = await copySample(collected.sample);
    try {
      return await encode(held.sample, { ...collected, policy });
    } finally {
      held.release();
    }
  };
  const store = async (collected: Collected): Promise<void> => {
    let item: NewItem | undefined;
    encoding++;
    try {
      item = await (collected.policy.level === "features"
        ? encode(collected.sample, collected)
        : encodeCopy(collected));
    } finally {
      encoding--;
    }
    if (item) await enqueue(item);
  };

  return {
    collect(answer) {
      if (privacy.level === "never" || !hasConsent(answer.sample, privacy)) return;
      if (encoding >= MAX_ENCODING || underWay.size >= MAX_UNDER_WAY)
        return onEvent({ type: "sample-lost", reason: "busy" });
      const storing: Promise<void> = store({ ...answer, policy: { level: privacy.level }, by: model() })
        .catch((error: unknown) => {
          // The policy forbids the sample, for example because there is no region to crop. That is not a
          // failure.
          if (error instanceof SednaError && error.code === "privacy-forbids") return;
          onEvent({ type: "sample-lost", reason: "failed", error: toPlainError(error) });
        })
        .finally(() => underWay.delete(storing));
      underWay.add(storing);
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

/**
 * Returns the policy with the regions of this frame already evaluated. The frame has consent. A copy may lack
 * the data by which the app identifies it.
 */
function policyFor<Result>(
  { level, regions }: PrivacyPolicy<Frame, Result>,
  { sample, edgeResult }: { readonly sample: Frame; readonly edgeResult: Result | null },
): PrivacyPolicy<Frame, Result> {
  if (!regions) return { level };
  const found = regions(sample, edgeResult).map((region) => Array.from(region));
  return { level, regions: () => found };
}
