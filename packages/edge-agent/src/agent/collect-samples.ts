import { toPlainError, writeSampleUpload, type Frame, type JointResult, type ModelManifest } from "@sedna-js/core";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import { sampleForQueue } from "../privacy/sample-for-queue.ts";
import { holdSample } from "../updates/hold-sample.ts";
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
const MAX_UNDER_WAY = 2;

/** Makes of hard examples what the privacy policy lets out, and queues it, without holding back the frames behind. */
export function collectSamples<Result>({ enqueue, device, privacy, model, onEvent }: CollectOptions<Result>): Collector<Result> {
  const underWay = new Set<Promise<void>>();

  const store = async (frame: Frame, { edgeResult, reason }: JointResult<Result, Frame>): Promise<void> => {
    const allowed = await sampleForQueue({ frame, result: edgeResult, policy: privacy });
    if (allowed === undefined) return;
    const { bytes: payload, ...what } = allowed;
    const { name, version } = model();
    const head = { device, reason, ...(version === 0 ? {} : { model: { name, version } }), ...what };
    await enqueue({ kind: "sample", body: writeSampleUpload({ head, payload }) });
  };
  /** The frame is closed when its answer has been taken: whoever needs its pixels later holds a copy, made in this call. */
  const storeCopy = async (answer: JointResult<Result, Frame>): Promise<void> => {
    const held = await holdSample(answer.sample);
    try {
      await store(held.sample, answer);
    } finally {
      held.release();
    }
  };

  return {
    collect(answer) {
      if (privacy.level === "never") return;
      if (underWay.size >= MAX_UNDER_WAY) return onEvent({ type: "sample-lost", reason: "busy" });
      const work = privacy.level === "features" ? store(answer.sample, answer) : storeCopy(answer);
      const storing: Promise<void> = work
        .catch((error: unknown) => onEvent({ type: "sample-lost", reason: "failed", error: toPlainError(error) }))
        .finally(() => underWay.delete(storing));
      underWay.add(storing);
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
