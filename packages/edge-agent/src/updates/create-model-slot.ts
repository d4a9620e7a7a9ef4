import { callListener } from "@sedna-js/core/async";
import { SednaError, type Estimator, type Tensors } from "@sedna-js/core";
import type { ModelSlot, Watched } from "./model-slot.ts";

/** Options of {@link createModelSlot}. */
export interface ModelSlotOptions {
  /** Clock in ms, for the durations that watchers receive. */
  readonly now?: () => number;
}

/**
 * Creates a slot with its first model. The slot owns its current model: `dispose` disposes that model. Each
 * call goes to the model that is in the slot at the time of the call. `run` and `predictBatch` exist only
 * while the current model has them.
 *
 * @throws {SednaError} From its methods: `disposed`, or the error of the model.
 */
export function createModelSlot<Sample, Result, Model extends Estimator<Sample, Result>>(
  initial: Model,
  { now = () => performance.now() }: ModelSlotOptions = {},
): ModelSlot<Sample, Result, Model> {
  type Call = { readonly signal?: AbortSignal };
  const watchers = new Set<(watched: Watched<Sample, Result, Model>) => void>();
  const underWay = new Map<Model, Set<Promise<unknown>>>();
  let current = initial;
  let disposing: Promise<void> | undefined;

  /** Calls the current model, and tracks the call until it has ended. */
  const ask = async <T>(work: (model: Model) => Promise<T>): Promise<T> => {
    if (disposing) throw disposed();
    const model = current;
    const calls = underWay.get(model) ?? new Set();
    underWay.set(model, calls);
    const call = work(model);
    calls.add(call);
    try {
      return await call;
    } finally {
      calls.delete(call);
      if (calls.size === 0) underWay.delete(model);
    }
  };

  const tell = (watched: Watched<Sample, Result, Model>, signal: AbortSignal | undefined): void => {
    // An aborted call says nothing about the model.
    if (signal?.aborted || disposing) return;
    for (const watcher of watchers) callListener(watcher, watched);
  };

  const predict = async (sample: Sample, { signal }: Call = {}): Promise<Result> =>
    ask(async (model) => {
      const started = now();
      try {
        const result = await model.predict(sample, signal ? { signal } : {});
        tell({ sample, model, result, ms: now() - started }, signal);
        return result;
      } catch (error) {
        tell({ sample, model, error, ms: now() - started }, signal);
        throw error;
      }
    });

  const dispose = (): Promise<void> => {
    watchers.clear();
    disposing ??= Promise.resolve().then(() => current.dispose());
    return disposing;
  };

  return {
    get current() {
      return current;
    },
    load: (options) => ask((model) => model.load(options)),
    predict,
    get predictBatch() {
      return (
        current.predictBatch &&
        ((samples: readonly Sample[], options?: Call) => ask((model) => predictAll(model, samples, options)))
      );
    },
    get run() {
      return (
        current.run &&
        ((feeds: Tensors, options?: Call) =>
          ask((model) => (model.run ? model.run(feeds, options) : Promise.reject(withoutRun()))))
      );
    },
    async swap(next) {
      if (disposing) throw disposed();
      if (next === current)
        throw new RangeError("swap the model: expected another model; got the current one");
      const former = current;
      current = next;
      await Promise.allSettled(underWay.get(former) ?? []);
      return former;
    },
    watch(watcher) {
      // Wrap the watcher, so that a watcher added twice is registered and removed twice.
      const own = (watched: Watched<Sample, Result, Model>): void => watcher(watched);
      if (!disposing) watchers.add(own);
      return () => void watchers.delete(own);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * Runs all samples on one model, even if it has no `predictBatch`: it may have been swapped in a moment ago.
 */
async function predictAll<Sample, Result>(
  model: Estimator<Sample, Result>,
  samples: readonly Sample[],
  options?: { readonly signal?: AbortSignal },
): Promise<Result[]> {
  if (model.predictBatch) return model.predictBatch(samples, options);
  const results: Result[] = [];
  for (const sample of samples) results.push(await model.predict(sample, options));
  return results;
}

function withoutRun(): TypeError {
  return new TypeError(
    "run the model in the slot: expected a model that runs tensors; got one without run()",
  );
}

function disposed(): SednaError {
  return new SednaError("call the model in the slot: expected an active slot; got one that was disposed", {
    code: "disposed",
  });
}
