import { SednaError, type Frame, type JointResult } from "@sedna-js/core";
import { toPlainError } from "@sedna-js/core/errors";
import { writeSampleUpload, type ModelManifest } from "@sedna-js/core/wire";
import { hasConsent } from "../privacy/private-frame.ts";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import { sampleForQueue } from "../privacy/sample-for-queue.ts";
import { holdSample } from "../frames/hold-sample.ts";
import type { LifeEvent } from "./agent-events.ts";

/** Options of {@link collectSamples}. */
export interface CollectOptions<Result> {
  /** Stores an item, now or as soon as it can. */
  readonly enqueue: (item: { readonly kind: string; readonly body: Uint8Array }) => Promise<void>;
  readonly device: string;
  readonly privacy: PrivacyPolicy<Frame, Result>;
  readonly model: () => Pick<ModelManifest, "name" | "version">;
  readonly onEvent: (event: LifeEvent) => void;
}

/** Brings hard examples into the queue; see {@link collectSamples}. */
export interface Collector<Result> {
  /** Takes what it needs of the sample in the call; returns at once. */
  collect(answer: JointResult<Result, Frame>): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** Samples encoded at once. More would make the frames behind them wait. */
const MAX_ENCODING = 2;
/**
 * Samples that are encoded or wait for the disk. Hard examples come in a row, and a disk may take its time.
 */
const MAX_UNDER_WAY = 32;

/**
 * Makes of hard examples what the privacy policy lets out, and queues it, without holding back the frames
 * behind.
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
   * An answer, and what it is kept by: both as they are when it is collected. An update may exchange the
   * model before it is stored.
   */
  type Collected = Pick<JointResult<Result, Frame>, "sample" | "edgeResult" | "reason"> & {
    readonly policy: PrivacyPolicy<Frame, Result>;
    readonly by: Pick<ModelManifest, "name" | "version">;
  };
  const encode = async (
    frame: Frame,
    { edgeResult, reason, policy, by: { name, version } }: Collected,
  ): Promise<Uint8Array | undefined> => {
    const allowed = await sampleForQueue({ frame, result: edgeResult, policy });
    if (allowed === undefined) return undefined;
    const { bytes: payload, ...what } = allowed;
    const head = { device, reason, ...(version === 0 ? {} : { model: { name, version } }), ...what };
    return writeSampleUpload({ head, payload });
  };
  /**
   * The frame is closed when its answer has been taken: whoever needs its pixels later holds a copy, made in
   * this call.
   */
  const encodeCopy = async (collected: Collected): Promise<Uint8Array | undefined> => {
    const policy = policyFor(privacy, collected);
    const held = await holdSample(collected.sample);
    try {
      return await encode(held.sample, { ...collected, policy });
    } finally {
      held.release();
    }
  };
  const store = async (collected: Collected): Promise<void> => {
    let body: Uint8Array | undefined;
    encoding++;
    try {
      body = await (collected.policy.level === "features"
        ? encode(collected.sample, collected)
        : encodeCopy(collected));
    } finally {
      encoding--;
    }
    if (body) await enqueue({ kind: "sample", body });
  };

  return {
    collect(answer) {
      if (privacy.level === "never" || !hasConsent(answer.sample, privacy)) return;
      if (encoding >= MAX_ENCODING || underWay.size >= MAX_UNDER_WAY)
        return onEvent({ type: "sample-lost", reason: "busy" });
      const storing: Promise<void> = store({ ...answer, policy: { level: privacy.level }, by: model() })
        .catch((error: unknown) => {
          // Nothing to crop to, say: that is the policy at work, and nothing went wrong.
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
 * The policy with what it says of this very frame, which has its consent: a copy may lack what the app knows
 * it by.
 */
function policyFor<Result>(
  { level, regions }: PrivacyPolicy<Frame, Result>,
  { sample, edgeResult }: { readonly sample: Frame; readonly edgeResult: Result | null },
): PrivacyPolicy<Frame, Result> {
  if (!regions) return { level };
  const found = regions(sample, edgeResult).map((region) => Array.from(region));
  return { level, regions: () => found };
}
