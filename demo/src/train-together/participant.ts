import { flatLength, type FederationPlan } from "@sedna-js/core/wire";
import {
  createFederatedLearning,
  federationTransport,
  labeledSamples,
  workerEstimator,
  type FederatedEvent,
} from "@sedna-js/edge-agent";
import { FEATURES, type Digits } from "./digits-share.ts";

/** This tab's participation in the federation. See {@link createParticipant}. */
export interface Participant {
  /** Participates until `leave` is called or the federation is done. */
  join(): Promise<void>;
  /** Leaves at once, even during training. */
  leave(): void;
  readonly isIn: boolean;
  /** Returns the parameters of the common model of this version. */
  model(version: number): Promise<Float32Array>;
}

/** Options of {@link createParticipant}. */
export interface ParticipantOptions {
  readonly url: URL;
  readonly federation: string;
  readonly device: string;
  readonly digits: Digits;
  readonly onEvent: (event: FederatedEvent) => void;
  /** Called with the parameters of a model that this tab trains alone for as many rounds, for comparison. */
  readonly onAlone: (round: number, parameters: Float32Array) => void;
}

/**
 * Creates a participant that trains with the others in one Worker and alone in a second one, on the same
 * digits.
 */
export function createParticipant({
  url,
  federation,
  device,
  digits,
  onEvent,
  onAlone,
}: ParticipantOptions): Participant {
  const worker = () => new Worker(new URL("./trainer.worker.ts", import.meta.url), { type: "module" });
  const estimator = workerEstimator<Float32Array, Float32Array>(worker());
  const alone = workerEstimator<Float32Array, Float32Array>(worker());
  const samples = labeledSamples(
    Array.from(digits.labels, (label, i) => ({
      sample: digits.features.slice(i * FEATURES, (i + 1) * FEATURES),
      label,
    })),
    { version: "digits" },
  );
  const http = federationTransport({ url, name: federation });
  const fetched = new Map<number, Promise<Float32Array>>();
  let plan: FederationPlan | undefined;
  // The page shows each model from which training starts, so fetch it once for both.
  const transport: typeof http = {
    ...http,
    fetchModel(version, options) {
      const known = fetched.get(version) ?? http.fetchModel(version, options);
      fetched.set(version, known);
      known.catch(() => fetched.delete(version));
      for (const old of fetched.keys()) if (old < version - 2) fetched.delete(old);
      return known;
    },
  };
  const learning = createFederatedLearning({ estimator, transport, device });
  let stop: AbortController | undefined;
  let lonely: Promise<void> = Promise.resolve();

  const trainAlone = async (round: number): Promise<void> => {
    if (!plan) return;
    await alone.train(samples, { plan: plan.training });
    const weights = await alone.getWeights();
    onAlone(round, Float32Array.from(weights.flatMap(({ data }) => Array.from(data as Float32Array))));
  };

  return {
    get isIn() {
      return stop !== undefined;
    },
    async join() {
      if (stop) return;
      const controller = new AbortController();
      stop = controller;
      try {
        for await (const event of learning.run(samples, { signal: controller.signal })) {
          if (event.type === "joined") plan = event.plan;
          if (event.type === "trained") lonely = lonely.then(() => trainAlone(event.round)).catch(() => {});
          onEvent(event);
        }
      } catch (error) {
        if (!controller.signal.aborted) throw error;
      } finally {
        if (stop === controller) stop = undefined;
      }
    },
    leave() {
      stop?.abort(new Error("dropped out"));
    },
    model(version) {
      if (!plan) throw new Error("show a model: expected join() first; got none");
      return transport.fetchModel(version, {
        length: flatLength(plan.layout),
        signal: AbortSignal.timeout(10_000),
      });
    },
  };
}
