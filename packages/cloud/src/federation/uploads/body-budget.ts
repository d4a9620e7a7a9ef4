import { SednaError } from "@sedna-js/core";

/** Room in memory for bodies that are read whole; see {@link createBodyBudget}. */
export interface BodyBudget {
  /**
   * Reads a body of at most `most` bytes; undefined for a longer one.
   * @throws {SednaError} `cloud-busy` where there is no room now, `cloud-timeout` for one that made room for
   * others; what the body throws.
   */
  read(
    body: AsyncIterable<Uint8Array>,
    options: { readonly most: number },
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Who is slower may have to make room, in bytes a second; not before this many ms. */
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
 * Reads bodies as long as all of them together fit: a thousand clients send their vectors in the same moment,
 * and each may be megabytes. Others are told to come back; one that drips makes room for them.
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
    // One alone always fits.
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
        throw new SednaError("read a body: expected room for it; got too many others", {
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
              "read a body: expected its pieces to keep coming while others wait; got too few",
              { code: "cloud-timeout", retryable: true },
            );
          if (step.done) return joined(chunks, mine.done);
          mine.done += step.value.length;
          if (mine.done > most) return undefined;
          chunks.push(step.value);
        }
      } finally {
        readings.delete(mine);
        // Not awaited: a body that does not come does not end either.
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
