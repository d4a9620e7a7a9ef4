import { SednaError, type ErrorCode, type SampleSource } from "@sedna-js/core";
import { backoff } from "@sedna-js/core/async";
import { messageOf } from "@sedna-js/core/errors";
import { callListener } from "../async/call-listener.ts";
import { delay } from "@sedna-js/core/async";
import type { SourceEvent } from "./source-events.ts";
import { stoppable } from "./stoppable.ts";

/** Options of {@link restartSource}. */
export interface RestartSourceOptions {
  readonly onEvent?: (event: SourceEvent) => void;
  /** The first wait is at most this long, in ms; the next at most twice that, and so on. Default 500. */
  readonly baseMs?: number;
  /** No wait is longer, in ms. Default 30000. A source that gave samples for so long starts with the first wait again. */
  readonly maxMs?: number;
  readonly signal?: AbortSignal;
  /** Uniform in [0,1). */
  readonly random?: () => number;
  /** Monotonic milliseconds, and a wait that ends early when the signal says so. */
  readonly clock?: SourceClock;
}

/** Time, for {@link restartSource}. */
export interface SourceClock {
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** No time mends these. */
const finalCodes: readonly ErrorCode[] = ["missing-dependency", "unsupported-platform", "disposed"];

/**
 * A source that is opened again when it fails, and when it ends although it is live: full-jitter exponential
 * back-off up to `maxMs`. What cannot be mended by trying again is thrown: TypeError, RangeError, and every
 * SednaError that is not retryable or says that something is not there.
 *
 * `open` is called once at once, for what it throws and whether it is live, and again for every restart.
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
        // One that breaks right after its first sample must not be hammered either.
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

/** The source's samples; it is told to end as soon as `stop` says so, even while it is being waited for. */
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
