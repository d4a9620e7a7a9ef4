import type { Estimator } from "@sedna-js/core";
import { receiveFrame } from "#platform/frames";
import type { RemotePredictor } from "./protocol.ts";
import { reply } from "./reply.ts";
import { runningCalls, type RunningCalls } from "./running-calls.ts";

/**
 * Inside a Worker: handles its owner's calls with the estimator that `current` returns. `current` throws if
 * there is none.
 */
export function handleCalls(
  current: () => Estimator<unknown, unknown>,
  calls: RunningCalls = runningCalls(),
): RemotePredictor {
  return {
    predict: (id, posted) =>
      reply(() =>
        calls.run(id, async (options) => {
          const frame = posted.kind === "frame" ? receiveFrame(posted.handle) : undefined;
          try {
            return await current().predict(posted.kind === "frame" ? frame : posted.sample, options);
          } finally {
            frame?.close();
          }
        }),
      ),
    run: (id, feeds) =>
      reply(() =>
        calls.run(id, async (options) => {
          const estimator = current();
          if (!estimator.run)
            throw new TypeError(
              "run a model in a worker: expected an estimator that runs tensors; got one without run()",
            );
          return estimator.run(feeds, options);
        }),
      ),
    cancel: (id) => calls.cancel(id),
    dispose: () => reply(async () => void (await current().dispose())),
  };
}
