import { createChannel } from "../async/channel.ts";
import { latest } from "../async/latest.ts";
import { type Case, edgeStep, failure, fallback } from "./decide.ts";
import type { Statistics } from "./statistics.ts";
import type { JointResult, RunOptions, SampleSource } from "./types.ts";

/**
 * Runs inference on a stream. The edge processes one sample at a time; uploads run concurrently, so that the
 * loop does not wait for the network unless `take` is "all" and `maxOffloads` uploads are in progress. Every
 * sample is closed once: after its last result was consumed, or at the end.
 */
export async function* runSource<Sample, Result>(
  source: SampleSource<Sample>,
  options: RunOptions & {
    readonly open: (sample: Sample, signal: AbortSignal) => Case<Sample, Result>;
    readonly statistics: Statistics<Result, Sample>;
  },
): AsyncGenerator<JointResult<Result, Sample>, undefined> {
  type Answer = JointResult<Result, Sample>;
  const { open, statistics, take = source.live ? "latest" : "all" } = options;
  options.signal?.throwIfAborted();
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const answers = createChannel<Answer>({ capacity: 1 });
  signal.addEventListener("abort", () => answers.close(), { once: true });
  const uploads = new Set<Promise<void>>();
  const failed: { error?: unknown; yes?: true } = {};

  // A result that is not final leaves the sample open: the final result closes it.
  const release = (answer: Answer): void => {
    if (answer.final) closeSample(answer.sample);
  };
  const send = async (answer: Answer): Promise<void> => {
    if (signal.aborted) release(answer);
    else await answers.send(answer);
  };
  const first = (answer: Answer): Promise<void> => {
    if (!signal.aborted) statistics.answered(answer);
    return send(answer);
  };

  const answerOne = async (it: Case<Sample, Result>): Promise<void> => {
    const { policy, maxOffloads = 2 } = it.settings;
    try {
      const { answer, askCloud, askEdge } = await edgeStep(it);
      if (askCloud === undefined) return await first(answer);
      if (uploads.size >= maxOffloads && take === "latest") {
        if (askEdge) return await first(await askEdge("offload-busy"));
        statistics.dropped();
        return closeSample(it.sample);
      }
      while (uploads.size >= maxOffloads) await Promise.race(uploads);

      const early = policy === "edge-first" && answer.result !== null;
      if (early) await first({ ...answer, final: false });
      const upload = askCloud().then(
        (final) => {
          if (early) statistics.followed(final);
          return early ? send(final) : first(final);
        },
        (error: unknown) => (early ? send(fallback(answer, "failed", error)) : first(failure(it, error))),
      );
      const tracked: Promise<void> = upload.finally(() => uploads.delete(tracked));
      uploads.add(tracked);
    } catch (error) {
      await first(failure(it, error));
    }
  };

  const work = async (): Promise<void> => {
    const onDrop = (sample: Sample): void => {
      statistics.dropped();
      closeSample(sample);
    };
    try {
      for await (const sample of take === "latest" ? latest(source, { onDrop }) : source) {
        if (signal.aborted) {
          closeSample(sample);
          break;
        }
        await answerOne(open(sample, signal));
      }
      await Promise.all(uploads);
    } catch (error) {
      Object.assign(failed, { error, yes: true });
    } finally {
      answers.close();
    }
  };

  void work();
  let taken: Answer | undefined;
  try {
    for (let next = await answers.receive(); next; next = await answers.receive()) {
      taken = next.value;
      yield taken;
      release(taken);
      taken = undefined;
    }
    options.signal?.throwIfAborted();
    if (failed.yes) throw failed.error;
  } finally {
    stop.abort();
    if (taken) release(taken);
    answers.drain().forEach(release);
  }
}

/** Closes a sample that holds its own memory, such as a video frame. Ignores other samples. */
function closeSample(sample: unknown): void {
  if (
    typeof sample === "object" &&
    sample !== null &&
    "close" in sample &&
    typeof sample.close === "function"
  )
    sample.close();
}
