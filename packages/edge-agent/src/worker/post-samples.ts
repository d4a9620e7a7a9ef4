import type { LabeledSample, LabeledSamples } from "@sedna-js/core";
import { isFrame } from "@sedna-js/core/vision";
import { transfer } from "comlink";
import { postedSample } from "./call-worker.ts";
import type { PostedLabeledSample, Reply } from "./protocol.ts";
import { reply } from "./reply.ts";

/** One iteration over labeled samples for a Worker. */
export interface PostedReading {
  /**
   * Returns the next samples, at most `count`, or none at the end. Frames are transferred and closed here.
   */
  next(count: number): Promise<Reply<readonly PostedLabeledSample[]>>;
  /** Ends the iteration. Does not wait for a sample that is being read. */
  end(): Promise<void>;
}

/** Creates an iteration over samples for a Worker. */
export function postSamples<Sample>(samples: LabeledSamples<Sample>): PostedReading {
  let iterator: AsyncIterator<LabeledSample<Sample>> | undefined;
  let over = false;
  let busy = false;

  const group = async (
    count: number,
  ): Promise<{ readonly posted: readonly PostedLabeledSample[]; readonly transfers: never[] }> => {
    const posted: PostedLabeledSample[] = [];
    const transfers: never[] = [];
    const drops: (() => void)[] = [];
    try {
      iterator ??= samples[Symbol.asyncIterator]();
      while (!over && posted.length < count) {
        const { done, value } = await iterator.next();
        if (done) {
          over = true;
          break;
        }
        const { sample, label } = value;
        try {
          const ready = await postedSample(sample);
          drops.push(ready.drop);
          posted.push({ posted: ready.posted, label });
          transfers.push(...ready.transfers);
        } finally {
          if (isFrame(sample)) sample.close();
        }
      }
      return { posted, transfers };
    } catch (error) {
      over = true;
      for (const drop of drops) drop();
      throw error;
    }
  };

  return {
    async next(count) {
      busy = true;
      const transfers: never[] = [];
      const answer = await reply(async () => {
        const read = await group(count);
        transfers.push(...read.transfers);
        return read.posted;
      });
      busy = false;
      return transfer(answer, transfers);
    },
    async end() {
      if (!iterator || over) return;
      over = true;
      // `return()` of a hanging generator settles only after its pending step, so do not wait for it.
      const closing = Promise.resolve(iterator.return?.()).catch(() => undefined);
      if (!busy) await closing;
    },
  };
}
