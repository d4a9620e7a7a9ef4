import { SednaError } from "@sedna-js/core";
import { backoff } from "@sedna-js/core/async";
import { parseFederationTask, type FederationTask } from "@sedna-js/core/wire";
import { delay } from "@sedna-js/core/async";
import { readAnswer, type FederationHttp } from "./federation-http.ts";

/** Options of {@link pollTasks}. */
export interface PollTasksOptions {
  readonly http: FederationHttp;
  readonly signal: AbortSignal;
  /** How long the aggregator may keep a question while nothing changes, in s. */
  readonly waitS: number;
  /** For an answer beyond that, in ms. */
  readonly deadlineMs: number;
  /** The first wait after a failure is at most this long, in ms; it doubles. */
  readonly baseMs: number;
  readonly capMs: number;
  /** Uniform in [0,1). */
  readonly random: () => number;
}

const ACTION = "ask for a task";
/** A secure sum's message may be long. */
const MAX_REPLY_BYTES = 2 ** 26;

/** The task whenever it changes, and now and then the same, by asking for it. Waits with back-off while nobody answers. @throws {SednaError} what no other try heals. */
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
      // Whoever answers next may have started anew.
      last = undefined;
      await delay(
        backoff({ tried: tried++, baseMs, capMs, random, retryAfterMs: error.retryAfterMs }),
        signal,
      );
      continue;
    }
    const isNews = last === undefined || saying(task) !== saying(last);
    last = task;
    // Also what was said before: an aggregator that restarts may go back to it, and the client acts on what changed for it.
    yield task;
    // One that keeps a question until something changes is asked again at once; one that does not says when to come back.
    const isKept = performance.now() - askedAt >= 500 * waitS;
    if (!isNews && !isKept)
      await delay(Math.max(task.kind === "wait" ? task.retryAfterMs : 0, random() * baseMs), signal);
  }
}

/** What a task says, without the time that is left. */
function saying(task: FederationTask): string {
  return JSON.stringify({ ...task, remainingMs: undefined, retryAfterMs: undefined });
}
