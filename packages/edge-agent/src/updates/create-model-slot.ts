import { SednaError, type Estimator, type Tensors } from "@sedna-js/core";
import { callListener } from "../async/call-listener.ts";
import type { ModelSlot, Watched } from "./model-slot.ts";

/** Options of {@link createModelSlot}. */
export interface ModelSlotOptions {
  /** Milliseconds; for the durations that watchers see. */
  readonly now?: () => number;
}

/**
 * A slot with its first model. It owns the model that is in it: `dispose` disposes that one. Calls go to the
 * model that is in the slot when they are made; `run` and `predictBatch` are there while that model has them.
 *
 * @throws {SednaError} from its calls, and from `swap`: `disposed`; and what the model throws.
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

  /** Asks the current model, and remembers the call until it has ended. */
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
    // Who gives up tells nothing of the model.
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
        throw new RangeError("swap the model: expected another one; got the one that is there");
      const former = current;
      current = next;
      await Promise.allSettled(underWay.get(former) ?? []);
      return former;
    },
    watch(watcher) {
      // A function of its own, so that the same watcher added twice is taken off twice.
      const own = (watched: Watched<Sample, Result, Model>): void => watcher(watched);
      if (!disposing) watchers.add(own);
      return () => void watchers.delete(own);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * All samples by one model, whether or not it takes them together: it may have been swapped in a moment ago.
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
  return new TypeError("run the model in the slot: expected one that runs tensors; got one without run()");
}

function disposed(): SednaError {
  return new SednaError("ask the model in the slot: expected a live slot; got one that was disposed", {
    code: "disposed",
  });
}
