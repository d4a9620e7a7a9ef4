import type { TrainingPlan } from "@sedna-js/core";
import type { Head, HeadEpochResult } from "@sedna-js/wasm-kernels";
import { sha256 } from "#platform/storage";
import { checkKey, type ByteStore } from "../storage/byte-store.ts";

/** Options of the checkpoints of a long training. */
export interface CheckpointOptions {
  readonly store: ByteStore | Promise<ByteStore>;
  /** Key in the store. Only one training at a time may use a key. */
  readonly key: string;
  /** Epochs between checkpoints. Default 10. */
  readonly everyEpochs?: number;
  /** Called when the store fails. The training continues without a checkpoint. */
  readonly onError?: (error: unknown) => void;
}

/** Progress of a training. */
export interface TrainingState {
  /** Number of completed epochs. */
  readonly done: number;
  readonly last: HeadEpochResult;
  /** The kernels' trainer state, from which the training resumes. */
  readonly state: Float32Array;
}

/** The checkpoint of one training. */
export interface TrainingCheckpoint {
  /**
   * Returns the progress of this training, or `undefined` if there is no checkpoint of it or the checkpoint
   * is damaged.
   */
  read(): Promise<TrainingState | undefined>;
  /** Writes a checkpoint if `everyEpochs` divides the number of completed epochs. */
  write(reached: Omit<TrainingState, "state"> & { readonly state: () => Float32Array }): Promise<void>;
  /** Deletes the checkpoint when the training is complete. */
  clear(): Promise<void>;
}

/** The inputs that identify a training. */
export interface TrainingIdentity {
  readonly head: Head;
  readonly plan: TrainingPlan;
  readonly version: string;
  readonly labels: Uint32Array;
  readonly weights: Float32Array;
  readonly seed: number;
  readonly classWeights?: Float32Array | undefined;
}

/**
 * Size of the header: 32 bytes hash of the rest and 32 bytes hash of the training's identity. The numbers as
 * float64 and the state as float32 follow.
 */
const HEAD_BYTES = 64;
const NUMBERS = 4;

/**
 * Opens the checkpoint of a training. Only the same training resumes from it: head, plan, samples, first
 * weights, seed, and class weights must be equal.
 */
export function openCheckpoint(
  { store, key, everyEpochs = 10, onError }: CheckpointOptions,
  identity: TrainingIdentity,
): TrainingCheckpoint {
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

/**
 * Validates checkpoint options.
 *
 * @throws {TypeError | RangeError} If the key or `everyEpochs` is invalid.
 */
export function checkCheckpoint({ key, everyEpochs = 10 }: CheckpointOptions): void {
  checkKey(key);
  if (!Number.isInteger(everyEpochs) || everyEpochs < 1)
    throw new RangeError(
      `set a checkpoint: expected everyEpochs as an integer of at least 1; got ${everyEpochs}`,
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
