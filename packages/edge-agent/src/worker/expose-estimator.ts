import type { Estimator } from "@sedna-js/core";
import { expose, type Endpoint } from "comlink";
import { ownerEndpoint, receiveFrame } from "#platform";
import type { RemoteEstimator } from "./protocol.ts";
import { reply } from "./reply.ts";

/**
 * Inside a Worker: offers an estimator to the page or process that owns the Worker, which takes it with
 * `workerEstimator(worker)`.
 */
export function exposeEstimator<Sample, Result>(factory: () => Estimator<Sample, Result>): void {
  const estimator = factory();
  const running = new Map<number, AbortController>();

  const remote: RemoteEstimator = {
    load: () => reply(() => estimator.load()),
    predict: (id, posted) =>
      reply(async () => {
        const controller = new AbortController();
        running.set(id, controller);
        const frame = posted.kind === "frame" ? receiveFrame(posted.handle) : undefined;
        try {
          const sample = posted.kind === "frame" ? frame : posted.sample;
          return await estimator.predict(sample as Sample, { signal: controller.signal });
        } finally {
          frame?.close();
          running.delete(id);
        }
      }),
    cancel: (id) => running.get(id)?.abort(),
    dispose: () => reply(async () => void (await estimator.dispose())),
  };
  expose(remote, ownerEndpoint() as Endpoint);
}
