import { SednaError, type ErrorCode, type SampleSource } from "@sedna-js/core";
import { backoff, callListener } from "@sedna-js/core/async";
import { messageOf } from "@sedna-js/core/errors";
import { delay } from "@sedna-js/core/async";
import type { SourceEvent } from "./source-events.ts";
import { stoppable } from "./stoppable.ts";

/** Options of {@link restartSource}. */
export interface RestartSourceOptions {
  readonly onEvent?: (event: SourceEvent) => void;
  /** Maximum delay before the first restart, in ms; it doubles with every restart. Default 500. */
  readonly baseMs?: number;
  /**
   * Maximum delay before any restart, in ms. Default 30000. A source that ran for this long resets the delay.
   */
  readonly maxMs?: number;
  readonly signal?: AbortSignal;
  /** Random source, uniform in [0,1). */
  readonly random?: () => number;
  /** Clock in monotonic ms, with an abortable wait. */
  readonly clock?: SourceClock;
}

/** The clock of {@link restartSource}. */
export interface SourceClock {
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Codes of errors that a restart cannot fix. */
const finalCodes: readonly ErrorCode[] = ["missing-dependency", "unsupported-platform", "disposed"];

/**
 * Creates a source that is reopened when it fails, and when it ends although it is live, with full-jitter
 * exponential backoff up to `maxMs`. Errors that a restart cannot fix are thrown: TypeError, RangeError, and
 * every SednaError that is not retryable or means that a dependency or platform feature is missing.
 *
 * `open` is called once immediately, to report its errors and to find out whether the source is live, and
 * again for every restart.
 */
export function restartSource<Sample>(
  open: () => SampleSource<Sample>,
  {
    onEvent,
    baseMs = 500,
    maxMs = 30_000,
    signal,
    random = Math.random,
    clock = realClock,
  }: RestartSourceOptions = {},
): SampleSource<Sample> {
  if (!(baseMs > 0 && baseMs <= maxMs && maxMs < 2 ** 31))
    throw new RangeError(
      `restart a source: expected 0 < baseMs <= maxMs < 2147483648; got baseMs ${baseMs}, maxMs ${maxMs}`,
    );
  const first = open();
  const { live = false } = first;
  let fresh: SampleSource<Sample> | undefined = first;
  const tell = (event: SourceEvent): void => callListener(onEvent, event);

  return stoppable(
    async function* (stop) {
      for (let failures = 0; !stop.aborted; failures++) {
        const opened = clock.now();
        let message: string;
        try {
          const source = fresh ?? open();
          fresh = undefined;
          let count = 0;
          for await (const sample of untilStopped(source, stop)) {
            if (count++ === 0) tell({ type: "source-opened" });
            yield sample;
          }
          if (!live || stop.aborted) return;
          message = "the source ended";
        } catch (error) {
          if (stop.aborted) return;
          if (isFinal(error)) throw error;
          message = messageOf(error);
        }
        // A sample alone does not reset the delay: a source may fail right after its first sample every time.
        if (clock.now() - opened >= maxMs) failures = 0;
        const retryInMs = Math.round(backoff({ tried: failures, baseMs, capMs: maxMs, random }));
        tell({ type: "source-failed", message, retryInMs });
        await clock.wait(retryInMs, stop);
      }
    },
    { live, signal },
  );
}

function isFinal(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  return error instanceof SednaError && (!error.retryable || finalCodes.includes(error.code));
}

/**
 * Yields the source's samples. Closes the source as soon as `stop` aborts, even while the next sample is
 * pending.
 */
async function* untilStopped<Sample>(
  source: SampleSource<Sample>,
  stop: AbortSignal,
): AsyncGenerator<Sample> {
  const iterator = source[Symbol.asyncIterator]();
  let leaving: Promise<unknown> | undefined;
  const leave = (): void => void (leaving ??= Promise.resolve(iterator.return?.()).catch(() => {}));
  stop.addEventListener("abort", leave, { once: true });
  let over = false;
  try {
    while (!stop.aborted) {
      const next = await iterator.next();
      over = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    over = true;
    throw error;
  } finally {
    stop.removeEventListener("abort", leave);
    if (!over) leave();
    await leaving;
  }
}

const realClock: SourceClock = { now: () => performance.now(), wait: delay };
