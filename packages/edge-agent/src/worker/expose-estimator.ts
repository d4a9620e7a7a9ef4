import type { Estimator } from "@sedna-js/core";
import { expose, type Endpoint } from "comlink";
import { ownerEndpoint } from "#platform";
import { answerCalls } from "./answer-calls.ts";
import type { RemoteEstimator } from "./protocol.ts";
import { reply } from "./reply.ts";

/**
 * Inside a Worker: offers an estimator to the page or process that owns the Worker, which takes it with
 * `workerEstimator(worker)`.
 */
export function exposeEstimator<Sample, Result>(factory: () => Estimator<Sample, Result>): void {
  const estimator = factory();
  const remote: RemoteEstimator = { load: () => reply(() => estimator.load()), ...answerCalls(() => estimator as Estimator<unknown, unknown>) };
  expose(remote, ownerEndpoint() as Endpoint);
}
