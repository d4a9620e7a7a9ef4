import { SednaError } from "@sedna-js/core";
import { backoff } from "@sedna-js/core/async";
import { parseFederationTask, type FederationTask } from "@sedna-js/core/wire";
import { delay } from "@sedna-js/core/async";
import { readAnswer, type FederationHttp } from "./federation-http.ts";

/** Options of {@link pollTasks}. */
export interface PollTasksOptions {
  readonly http: FederationHttp;
  readonly signal: AbortSignal;
  /** Time for which the aggregator may hold a request while nothing changes, in seconds. */
  readonly waitS: number;
  /** Timeout of a response in addition to `waitS`, in ms. */
  readonly deadlineMs: number;
  /** Maximum delay before the first retry, in ms; it doubles with every retry. */
  readonly baseMs: number;
  readonly capMs: number;
  /** Random source, uniform in [0,1). */
  readonly random: () => number;
}

const ACTION = "poll the task";
/** A secure aggregation task may be long: allow 64 MiB. */
const MAX_REPLY_BYTES = 2 ** 26;

/**
 * Yields the task whenever it changes by long polling; the same task may be yielded more than once. Retries
 * with backoff while the aggregator is unreachable.
 *
 * @throws {SednaError} If a failure is not retryable.
 */
export async function* pollTasks({
  http,
  signal,
  waitS,
  deadlineMs,
  baseMs,
  capMs,
  random,
}: PollTasksOptions): AsyncGenerator<FederationTask, undefined> {
  let last: FederationTask | undefined;
  let tried = 0;
  for (;;) {
    signal.throwIfAborted();
    const path = last === undefined ? "/task" : `/task?after=${last.seq}&wait=${waitS}`;
    let task: FederationTask;
    const askedAt = performance.now();
    try {
      const reply = await http.ask({
        action: ACTION,
        method: "GET",
        path,
        deadlineMs: 1000 * waitS + deadlineMs,
        maxReplyBytes: MAX_REPLY_BYTES,
        signal,
      });
      if (reply.status >= 300)
        throw new SednaError(`${ACTION}: expected a task; got status ${reply.status}`, {
          code: "cloud-garbage",
          retryable: true,
        });
      task = readAnswer(reply, { action: ACTION, read: parseFederationTask });
      tried = 0;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SednaError && error.retryable)) throw error;
      // The aggregator may restart in between: request its current task next.
      last = undefined;
      await delay(
        backoff({ tried: tried++, baseMs, capMs, random, retryAfterMs: error.retryAfterMs }),
        signal,
      );
      continue;
    }
    const isNews = last === undefined || saying(task) !== saying(last);
    last = task;
    // Yield unchanged tasks too: a restarted aggregator may return to an earlier task, and the client ignores
    // tasks that did not change.
    yield task;
    // Poll again at once if the aggregator held the request. If it responded at once with the same task, wait
    // for the delay that it requests.
    const isKept = performance.now() - askedAt >= 500 * waitS;
    if (!isNews && !isKept)
      await delay(Math.max(task.kind === "wait" ? task.retryAfterMs : 0, random() * baseMs), signal);
  }
}

/** Serializes a task without its remaining time, for comparison. */
function saying(task: FederationTask): string {
  return JSON.stringify({ ...task, remainingMs: undefined, retryAfterMs: undefined });
}
