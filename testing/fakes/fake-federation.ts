import {
  SednaError,
  type FederationTransport,
  type LabeledSamples,
  type Tensor,
  type TrainableEstimator,
} from "@sedna-js/core";
import type { UpdateEncoder } from "@sedna-js/core/update-codec";
import type { FederationPlan, FederationTask, UpdateReceipt, UpdateRejection } from "@sedna-js/core/wire";

// An aggregator in memory, for tests of its clients. It responds like a real one, accepts each client once
// per round, and records everything that was sent. A round closes when `participants` clients are accepted,
// or by `closeRound()`.

const text = new TextEncoder();

/** A plan of four parameters. */
export const fourParameters: FederationPlan = {
  protocol: 1,
  name: "four",
  layout: [
    { name: "weight", shape: [1, 3] },
    { name: "bias", shape: [1] },
  ],
  training: { epochs: 2, batchSize: 4, optimizer: { kind: "sgd", learningRate: 0.1 } },
  aggregation: "FedAvg",
  mode: "rounds",
  protection: "none",
  encoding: "f32",
  numRounds: 3,
  participants: 1,
  maxUpdateBytes: 2 ** 20,
  maxNumSamples: 1000,
};

/** Creates an encoder whose messages are readable JSON. It counts how often each message was committed. */
export function readableEncoder(): UpdateEncoder & { readonly commits: Map<string, number> } {
  const commits = new Map<string, number>();
  return {
    commits,
    length: 4,
    state: () => undefined,
    restore() {},
    encode(change, head) {
      if (!change.every(Number.isFinite)) throw new RangeError("encode: expected finite numbers; got others");
      const message = JSON.stringify({ ...head, change: [...change] });
      return {
        message: text.encode(message),
        commit: () => void commits.set(message, (commits.get(message) ?? 0) + 1),
      };
    },
  };
}

/**
 * Creates an estimator that trains by adding a value that never repeats: a client that trains twice for a
 * round has a different update.
 */
export function countingEstimator({
  onEpoch = async () => {},
}: { readonly onEpoch?: (signal: AbortSignal | undefined) => Promise<void> } = {}): TrainableEstimator<
  number,
  number
> & { readonly trainings: number; readonly busy: number } {
  const at = { weights: new Float32Array(4), trainings: 0, busy: 0, most: 0 };
  const tensors = (): Tensor[] => [
    { dtype: "float32", shape: [1, 3], data: at.weights.slice(0, 3) },
    { dtype: "float32", shape: [1], data: at.weights.slice(3) },
  ];
  const dispose = async (): Promise<void> => {};
  return {
    get trainings() {
      return at.trainings;
    },
    get busy() {
      return at.most;
    },
    load: async () => ({ kind: "tensors", inputs: [], outputs: [], backend: "test" }),
    predict: async (sample) => sample,
    evaluate: async () => ({ loss: 0 }),
    getWeights: async () => tensors(),
    async setWeights([weight, bias]) {
      at.weights.set(weight!.data as Float32Array);
      at.weights.set(bias!.data as Float32Array, 3);
    },
    async train(samples, { plan, signal, onProgress } = {}) {
      at.trainings++;
      at.most = Math.max(at.most, ++at.busy);
      const serial = at.trainings;
      try {
        for (let epoch = 1; epoch <= plan!.epochs; epoch++) {
          await onEpoch(signal);
          signal?.throwIfAborted();
          onProgress?.({ phase: "training", done: epoch, total: plan!.epochs, loss: 1 / epoch });
        }
        at.weights = at.weights.map((weight) => weight + serial);
        return { numSamples: samples.count!, epochs: plan!.epochs, loss: 0.5, accuracy: 0.75 };
      } finally {
        at.busy--;
      }
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Returns the given number of samples, whose content does not matter. */
export function someSamples(count: number): LabeledSamples<number> {
  return {
    version: `test-${count}`,
    count,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < count; i++) yield { sample: i, label: 0 };
    },
  };
}

/** An aggregator in memory. */
export interface PretendFederation {
  /** Returns a device's transport to the aggregator. */
  transport(device: string): FederationTransport;
  /** All updates ever received, including repeated ones. */
  readonly received: readonly { readonly device: string; readonly round: number; readonly text: string }[];
  /** All updates ever accepted, including those that a restart lost. */
  readonly countedEver: ReadonlySet<string>;
  /** Listeners that wait for a change. */
  readonly listeners: ReadonlySet<() => void>;
  readonly model: Float32Array;
  /** Accepted updates, by round and then by device. */
  readonly rounds: readonly ReadonlyMap<string, string>[];
  readonly sessions: ReadonlyMap<string, number>;
  closeRound(): void;
  /** Abandons the round with all accepted updates, and waits until `reopen` opens it again. */
  giveUp(): void;
  reopen(): void;
  /** Drops all sessions, and with `losing` also the accepted updates of the active round. */
  restart(options: { readonly losing: boolean }): void;
  /**
   * Ends a device's session, as if its token had expired. With `silently`, clients that wait for a task are
   * not notified.
   */
  endSession(device: string, options?: { readonly silently?: boolean }): void;
  /** Rejects the next updates of a device with this rejection; `undefined` accepts them again. */
  refuse(device: string, rejection: UpdateRejection | undefined): void;
  task(device: string): FederationTask;
}

/** Creates a {@link PretendFederation}. */
export function fakeFederation({
  plan = fourParameters,
}: { readonly plan?: FederationPlan } = {}): PretendFederation {
  const received: { device: string; round: number; text: string }[] = [];
  const rounds: Map<string, string>[] = [];
  const sessions = new Map<string, number>();
  const refusals = new Map<string, UpdateRejection>();
  const listeners = new Set<() => void>();
  const countedEver = new Set<string>();
  const at = {
    round: 1,
    version: 0,
    seq: 1,
    epoch: 0,
    accepted: new Map<string, string>(),
    models: [new Float32Array(4)],
    waits: false,
  };

  const changed = (): void => {
    at.seq++;
    for (const listener of listeners) listener();
  };
  const closeRound = (): void => {
    if (at.round > plan.numRounds) return;
    rounds.push(at.accepted);
    const mean = at.models.at(-1)!.slice();
    for (const message of at.accepted.values())
      (JSON.parse(message) as { change: number[] }).change.forEach(
        (value, i) => (mean[i]! += value / at.accepted.size),
      );
    at.models.push(mean);
    at.version++;
    at.round++;
    at.accepted = new Map();
    changed();
  };
  const task = (device: string): FederationTask => {
    const now = { seq: at.seq, round: at.round, modelVersion: at.version };
    if (at.round > plan.numRounds) return { kind: "done", ...now, round: plan.numRounds };
    if (at.waits) return { kind: "wait", ...now, round: at.round - 1, retryAfterMs: 1 };
    return { kind: "train", ...now, remainingMs: 1000, accepted: at.accepted.has(device) };
  };
  const ended = (): SednaError =>
    new SednaError("use a session: expected a known session; got an unknown one", { code: "session-ended" });

  const transport = (device: string): FederationTransport => {
    let epoch = 0;
    const check = (): void => {
      if (sessions.get(device) === epoch) return;
      throw (sessions.get(device) ?? 0) > epoch && epoch > 0
        ? new SednaError("use a session: expected the latest session; got an older one", {
            code: "session-replaced",
          })
        : ended();
    };
    return {
      async join(request, { signal }) {
        signal.throwIfAborted();
        epoch = ++at.epoch;
        sessions.set(request.device, epoch);
        changed();
        return { token: `${epoch}`, expiresIn: 600, epoch, now: 0, plan };
      },
      async *tasks({ signal }) {
        for (let seq = -1; ;) {
          signal.throwIfAborted();
          check();
          const now = task(device);
          if (now.seq !== seq) {
            seq = now.seq;
            yield now;
            continue;
          }
          let wake = (): void => {};
          const change = new Promise<void>((resolve) => (wake = resolve));
          listeners.add(wake);
          signal.addEventListener("abort", wake, { once: true });
          await change;
          listeners.delete(wake);
          signal.removeEventListener("abort", wake);
        }
      },
      async fetchModel(version, { length, signal }) {
        signal.throwIfAborted();
        check();
        const model = at.models[version];
        if (!model || model.length !== length)
          throw new SednaError(`fetch model ${version}: expected a version that is available`, {
            code: "cloud-refused",
            retryable: true,
          });
        return model.slice();
      },
      async sendUpdate(message, { round, signal }): Promise<UpdateReceipt | UpdateRejection> {
        signal.throwIfAborted();
        check();
        const sent = new TextDecoder().decode(message);
        received.push({ device, round, text: sent });
        const rejection = refusals.get(device);
        if (rejection) return rejection;
        if (round !== at.round || at.round > plan.numRounds)
          return { error: `expected round ${at.round}; got ${round}`, code: "round-closed", round: at.round };
        const before = at.accepted.get(device);
        if (before !== undefined && before !== sent)
          return { error: "expected the accepted update; got a different one", code: "duplicate", round };
        at.accepted.set(device, sent);
        countedEver.add(sent);
        if (at.accepted.size === plan.participants) closeRound();
        else if (before === undefined) changed();
        return { round, accepted: true, ...(before !== undefined && { duplicate: true }) };
      },
      async sendSecure() {
        throw new Error("secure aggregation is not available here");
      },
      async leave() {
        if (sessions.get(device) === epoch) sessions.delete(device);
      },
    };
  };
  return {
    transport,
    received,
    countedEver,
    listeners,
    get model() {
      return at.models.at(-1)!;
    },
    rounds,
    sessions,
    closeRound,
    giveUp() {
      at.accepted = new Map();
      at.waits = true;
      changed();
    },
    reopen() {
      at.waits = false;
      changed();
    },
    restart({ losing }) {
      sessions.clear();
      if (losing) at.accepted = new Map();
      changed();
    },
    endSession(device, { silently = false } = {}) {
      sessions.delete(device);
      if (!silently) changed();
    },
    refuse(device, rejection) {
      if (rejection) refusals.set(device, rejection);
      else refusals.delete(device);
    },
    task,
  };
}
