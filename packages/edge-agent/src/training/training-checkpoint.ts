import type { TrainingPlan } from "@sedna-js/core";
import type { Head, HeadEpoch } from "@sedna-js/wasm-kernels";
import { sha256 } from "#platform/storage";
import { checkKey, type ByteStore } from "../storage/byte-store.ts";

/** Where a long training keeps how far it is. */
export interface CheckpointOptions {
  readonly store: ByteStore | Promise<ByteStore>;
  /** Of the store. One training at a time uses a key. */
  readonly key: string;
  /** Default 10. */
  readonly everyEpochs?: number;
  /** Told when the store fails; the training goes on without. */
  readonly onError?: (error: unknown) => void;
}

/** How far a training is. */
export interface TrainingState {
  /** Epochs that are made. */
  readonly done: number;
  readonly last: HeadEpoch;
  /** All that the kernels' trainer needs to go on. */
  readonly state: Float32Array;
}

/** The checkpoint of one training. */
export interface OpenCheckpoint {
  /** How far this very training was; undefined where there is none of it, or a damaged one. */
  read(): Promise<TrainingState | undefined>;
  /** Writes when an epoch to be written is done. */
  write(reached: Omit<TrainingState, "state"> & { readonly state: () => Float32Array }): Promise<void>;
  /** The training is over. */
  clear(): Promise<void>;
}

/** What makes a training the same one. */
export interface TrainingIdentity {
  readonly head: Head;
  readonly plan: TrainingPlan;
  readonly version: string;
  readonly labels: Uint32Array;
  readonly weights: Float32Array;
  readonly seed: number;
  readonly classWeights?: Float32Array | undefined;
}

/** 32 bytes of hash of the rest, 32 of the training's identity, then these and the state, as float64 and float32. */
const HEAD_BYTES = 64;
const NUMBERS = 4;

/** Opens the checkpoint of a training. Only the same one goes on from it: head, plan, samples, first weights and seed. */
export function openCheckpoint(
  { store, key, everyEpochs = 10, onError }: CheckpointOptions,
  identity: TrainingIdentity,
): OpenCheckpoint {
  const own = identityOf(identity);
  const guarded = async <T>(work: (bytes: ByteStore) => Promise<T>): Promise<T | undefined> => {
    try {
      return await work(await store);
    } catch (error) {
      onError?.(error);
      return undefined;
    }
  };
  return {
    read: () =>
      guarded(async (bytes) =>
        parse((await bytes.get(key)) ?? new Uint8Array(), { own, epochs: identity.plan.epochs }),
      ),
    async write({ done, last, state }) {
      if (done % everyEpochs !== 0) return;
      await guarded(async (bytes) => bytes.set(key, encode({ done, last, state: state() }, own)));
    },
    clear: async () => void (await guarded(async (bytes) => bytes.delete(key))),
  };
}

/** Checks what a user gave. @throws {RangeError} {TypeError} */
export function checkCheckpoint({ key, everyEpochs = 10 }: CheckpointOptions): void {
  checkKey(key);
  if (!Number.isInteger(everyEpochs) || everyEpochs < 1)
    throw new RangeError(
      `keep a training: expected everyEpochs as an integer of at least 1; got ${everyEpochs}`,
    );
}

function identityOf({ head, plan, version, labels, weights, seed, classWeights }: TrainingIdentity): string {
  const { epochs, batchSize, optimizer, proximal = 0, l2 = 0 } = plan;
  const sorted = (record: object): unknown => Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const hash = sha256();
  hash.update(
    new TextEncoder().encode(
      JSON.stringify([
        sorted(head),
        epochs,
        batchSize,
        sorted(optimizer),
        proximal,
        l2,
        version,
        seed,
        labels.length,
        classWeights ? [...classWeights] : null,
      ]),
    ),
  );
  for (const array of [labels, weights])
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.hex();
}

function encode({ done, last, state }: TrainingState, own: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES + 8 * NUMBERS + 4 * state.length);
  bytes.set(fromHex(own), 32);
  new Float64Array(bytes.buffer, HEAD_BYTES, NUMBERS).set([done, last.loss, last.accuracy, last.samples]);
  new Float32Array(bytes.buffer, HEAD_BYTES + 8 * NUMBERS).set(state);
  bytes.set(hashOf(bytes.subarray(32)));
  return bytes;
}

function parse(
  given: Uint8Array,
  { own, epochs }: { readonly own: string; readonly epochs: number },
): TrainingState | undefined {
  const bytes = given.slice();
  const isWhole =
    bytes.length > HEAD_BYTES + 8 * NUMBERS &&
    bytes.length % 4 === 0 &&
    same(bytes.subarray(0, 32), hashOf(bytes.subarray(32)));
  if (!isWhole || !same(bytes.subarray(32, 64), fromHex(own))) return undefined;
  const [done, loss, accuracy, samples] = new Float64Array(bytes.buffer, HEAD_BYTES, NUMBERS) as unknown as [
    number,
    number,
    number,
    number,
  ];
  return done <= epochs
    ? {
        done,
        last: { loss, accuracy, samples },
        state: new Float32Array(bytes.buffer, HEAD_BYTES + 8 * NUMBERS),
      }
    : undefined;
}

function hashOf(bytes: Uint8Array): Uint8Array {
  const hash = sha256();
  hash.update(bytes);
  return fromHex(hash.hex());
}

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
