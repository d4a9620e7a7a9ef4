import type { Estimator } from "@sedna-js/core";
import { expose, type Endpoint } from "comlink";
import { ownerEndpoint } from "#platform/worker";
import { handleCalls } from "./handle-calls.ts";
import { handleTraining } from "./handle-training.ts";
import type { RemoteEstimator } from "./protocol.ts";
import { reply } from "./reply.ts";
import { runningCalls } from "./running-calls.ts";

/**
 * Inside a Worker: exposes an estimator, including its training methods, to the page or process that owns the
 * Worker. The owner uses it through `workerEstimator(worker)`.
 */
export function exposeEstimator<Sample, Result>(factory: () => Estimator<Sample, Result>): void {
  const estimator = factory() as Estimator<unknown, unknown>;
  const calls = runningCalls();
  const remote: RemoteEstimator = {
    load: () => reply(() => estimator.load()),
    ...handleCalls(() => estimator, calls),
    ...handleTraining(estimator, calls),
  };
  expose(remote, ownerEndpoint() as Endpoint);
}
