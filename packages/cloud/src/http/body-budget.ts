import { SednaError } from "@sedna-js/core";

/** Room in memory for bodies that are read whole; see {@link createBodyBudget}. */
export interface BodyBudget {
  /**
   * Reads a whole body of at most `most` bytes. Resolves with `undefined` if the body is longer.
   * @throws {SednaError} `cloud-busy` If the budget is exhausted; `cloud-timeout` if this body was evicted
   * because it was slow. Also throws the errors of the body.
   */
  read(
    body: AsyncIterable<Uint8Array>,
    options: { readonly most: number },
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Minimum rate in bytes per second, and time in ms after which a slower body may be evicted. */
const MIN_BYTES_PER_SECOND = 32 * 1024;
const MIN_MS = 5000;
const RETRY_MS = 1000;

interface Reading {
  readonly most: number;
  readonly since: number;
  done: number;
  end(): void;
}

/**
 * Creates a budget for bodies that are read whole: a thousand clients may send their vectors at the same
 * time, and each vector may be megabytes long. A body that does not fit is rejected with a retry delay. A
 * slow body is evicted if another one needs its memory.
 */
export function createBodyBudget({
  bytes,
  now,
}: {
  readonly bytes: number;
  readonly now: () => number;
}): BodyBudget {
  const readings = new Set<Reading>();
  const taken = (): number => [...readings].reduce((sum, { most }) => sum + most, 0);
  const isTooSlow = ({ since, done }: Reading): boolean =>
    now() - since >= MIN_MS && (1000 * done) / (now() - since) < MIN_BYTES_PER_SECOND;

  const makeRoom = (most: number): boolean => {
    // A single body always fits.
    for (const reading of readings) {
      if (taken() + most <= bytes) break;
      if (!isTooSlow(reading)) continue;
      readings.delete(reading);
      reading.end();
    }
    return readings.size === 0 || taken() + most <= bytes;
  };

  return {
    async read(body, { most }) {
      if (!makeRoom(most))
        throw new SednaError("read a body: expected free memory; got too many bodies at once", {
          code: "cloud-busy",
          retryable: true,
          retryAfterMs: RETRY_MS,
        });
      const pieces = body[Symbol.asyncIterator]();
      const chunks: Uint8Array[] = [];
      let interrupt = (): void => {};
      const mine: Reading = { most, since: now(), done: 0, end: () => interrupt() };
      readings.add(mine);
      const next = (): Promise<IteratorResult<Uint8Array> | undefined> =>
        new Promise((resolve, reject) => {
          interrupt = () => resolve(undefined);
          pieces.next().then(resolve, reject);
        });
      try {
        for (;;) {
          const step = readings.has(mine) ? await next() : undefined;
          if (!step)
            throw new SednaError(
              "read a body: expected chunks to keep arriving while others wait; got too few",
              { code: "cloud-timeout", retryable: true },
            );
          if (step.done) return joined(chunks, mine.done);
          mine.done += step.value.length;
          if (mine.done > most) return undefined;
          chunks.push(step.value);
        }
      } finally {
        readings.delete(mine);
        // Do not await: the iterator of a stalled body may never return.
        pieces.return?.()?.catch(() => {});
      }
    },
  };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
