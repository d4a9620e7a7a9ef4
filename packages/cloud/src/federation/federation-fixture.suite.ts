import type { Accumulator, Aggregator } from "@sedna-js/core/aggregation";
import { writeUpdateMessage, type UpdateHead } from "@sedna-js/core/wire";
import type { FederationLog } from "./log/federation-log.ts";
import type { Federation } from "./federation.ts";
import type { Member } from "./sessions/member.ts";
import { memoryFederationLog } from "./log/memory-federation-log.ts";
import type { Sessions } from "./sessions/sessions.ts";

/** The plain weighted mean of updates, for tests of the code around an aggregator. */
export const plainMean: Aggregator = {
  name: "plain mean",
  minClients: 1,
  needsSumOnly: true,
  aggregate() {
    throw new Error("not used here");
  },
  createAccumulator({ kernels, base }) {
    const sum = kernels.weightedMean({ length: base.length, accumulator: "f64" });
    let count = 0;
    return {
      get count() {
        return count;
      },
      get totalWeight() {
        return sum.totalWeight;
      },
      add(update, { weight }) {
        const norm = sum.add(update, { weight });
        count++;
        return norm;
      },
      state: () => ({
        count,
        totalWeight: sum.totalWeight,
        mean: count === 0 ? new Float32Array(base.length) : sum.result(),
      }),
      restore({ count: before, totalWeight, mean }) {
        if (before === 0) return;
        sum.add({ encoding: "f32", values: mean }, { weight: totalWeight });
        count += before;
      },
      finish() {
        const change = sum.result();
        return { model: base.map((value, i) => value + change[i]!), serverState: undefined };
      },
      dispose: () => sum.dispose(),
    };
  },
};

/** The same mean as an aggregator that needs the updates themselves. */
export const keepingMean: Aggregator = {
  ...plainMean,
  name: "mean of kept updates",
  createAccumulator: (round) => withoutState(plainMean.createAccumulator(round)),
};

/** Delegate each member: a spread would copy the initial count. */
function withoutState(accumulator: Accumulator): Accumulator {
  return {
    get count() {
      return accumulator.count;
    },
    get totalWeight() {
      return accumulator.totalWeight;
    },
    add: (update, options) => accumulator.add(update, options),
    state: () => undefined,
    restore: (state) => accumulator.restore(state),
    finish: () => accumulator.finish(),
    dispose: () => accumulator.dispose(),
  };
}

/** Encodes a message with f32 values, or with raw payload bytes. */
export function message(
  values: ArrayLike<number> | Uint8Array,
  head: Partial<UpdateHead> & { readonly round: number },
): Uint8Array<ArrayBuffer> {
  const floats = values instanceof Uint8Array ? undefined : Float32Array.from(values as ArrayLike<number>);
  const payload = floats ? new Uint8Array(floats.buffer) : (values as Uint8Array);
  const { encoding = "f32" } = head;
  return writeUpdateMessage({
    head: {
      modelVersion: head.round - 1,
      numSamples: 10,
      length: floats?.length ?? payload.length,
      ...head,
      encoding,
    },
    payload,
  });
}

/** Splits bytes into chunks, as a socket delivers them. */
export async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Sends a whole message. */
export const send = (
  federation: Federation,
  { member, bytes, round }: { readonly member: Member; readonly bytes: Uint8Array; readonly round: number },
): ReturnType<Federation["receive"]> =>
  federation.receive(member, { round, offset: 0, total: bytes.length, body: pieces(bytes) });

/** Joins clients and returns their members. */
export function join(federation: Federation, names: readonly string[]): Member[] {
  return names.map((client) => {
    const member = { client, epoch: 1 };
    federation.join({ ...member, kind: "sedna-js", numSamples: 10, resources: {} });
    return member;
  });
}

/** Resolves when the next round closes. */
export const closed = (
  federation: Federation,
): Promise<Parameters<Parameters<Federation["onRound"]>[0]>[0]> =>
  new Promise((resolve) => {
    const stop = federation.onRound((round) => {
      stop();
      resolve(round);
    });
  });

/** Creates sessions that accept any device, with tokens that contain the client's name. */
export function openTokens(): Sessions {
  const epochs = new Map<string, number>();
  return {
    async grant({ device }, { after = 0 } = {}) {
      const epoch = Math.max(epochs.get(device) ?? 0, after) + 1;
      epochs.set(device, epoch);
      return { client: device, epoch, token: `${device}.${epoch}`, expiresIn: 600 };
    },
    async verify(token) {
      const [client = "", epoch = ""] = token.split(".");
      const newest = epochs.get(client);
      if (newest === undefined) return { rejected: "unauthorized", error: "no such session" };
      return newest === Number(epoch)
        ? { client, epoch: newest }
        : { rejected: "session-replaced", error: "a newer session exists" };
    },
    end: ({ client }) => void epochs.delete(client),
  };
}

/** A disk that survives the crash of its processes. */
export interface MortalLog {
  /** Returns the log for the next process. From now on, writes of the previous process have no effect. */
  next(): Promise<FederationLog>;
  /** Crashes the current process at its next call of this function; resolves then. */
  dieAt(call: "append" | "putBlob" | "replace"): Promise<void>;
  /** Returns how many events of a type are on the disk. */
  appended(type: string): number;
}

/** Creates a log in memory whose processes can crash: a call of a crashed process never settles. */
export function mortalLog(): MortalLog {
  const disk = memoryFederationLog();
  const events: string[] = [];
  let life = {
    dead: false,
    last: undefined as { readonly call: string; readonly die: () => void } | undefined,
  };
  return {
    async next() {
      life.dead = true;
      await disk.close();
      const mine = { dead: false, last: undefined };
      life = mine;
      const alive =
        <Args extends unknown[], T>(call: string, work: (...args: Args) => Promise<T>) =>
        async (...args: Args): Promise<T> => {
          const { last } = mine as typeof life;
          if (last?.call === call) {
            mine.dead = true;
            last.die();
          }
          return mine.dead ? new Promise<T>(() => {}) : work(...args);
        };
      const append: FederationLog["append"] = async (records) => {
        await disk.append(records);
        for (const record of records)
          if (record.type === "events") events.push(...record.events.map(({ type }) => type));
      };
      return {
        open: () => disk.open(),
        read: () => disk.read(),
        append: alive("append", append),
        replace: alive("replace", (records: Parameters<FederationLog["replace"]>[0]) =>
          disk.replace(records),
        ),
        putBlob: alive("putBlob", (name: string, bytes: Uint8Array) => disk.putBlob(name, bytes)),
        getBlob: alive("getBlob", (name: string) => disk.getBlob(name)),
        blobs: alive("blobs", () => disk.blobs()),
        deleteBlob: alive("deleteBlob", (name: string) => disk.deleteBlob(name)),
        // A crashed process releases nothing.
        close: async () => (mine.dead ? undefined : disk.close()),
      };
    },
    dieAt: (call) => new Promise((die) => (life.last = { call, die })),
    appended: (type) => events.filter((one) => one === type).length,
  };
}
