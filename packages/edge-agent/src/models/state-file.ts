import { WireError } from "@sedna-js/core";
import { createSerialQueue } from "@sedna-js/core/async";
import type { ByteStore } from "../storage/byte-store.ts";
import { readStoreState, writeStoreState, type StoreState } from "./store-state.ts";

/** The durable state of a model store. */
export interface StateFile {
  /** Returns the last written state, or an empty state if there is none. */
  read(): Promise<StoreState>;
  /**
   * Applies `update` and writes the result, unless it is the same object. Changes run one at a time. The
   * result is on the disk when this resolves.
   */
  change(update: (known: StoreState) => StoreState): Promise<StoreState>;
}

/** The state and its copy: the good versions and the highest version seen must survive a bad block. */
const KEYS = ["state.json", "state-copy.json"] as const;

/**
 * Creates the state file of a model store. If the state cannot be read, `onDamage` is called and the copy is
 * used.
 */
export function createStateFile({
  bytes,
  onDamage,
}: {
  readonly bytes: ByteStore;
  readonly onDamage?: (error: unknown) => void;
}): StateFile {
  const turns = createSerialQueue();
  let opened: Promise<StoreState> | undefined;

  const open = async (): Promise<StoreState> => {
    let unread: unknown;
    for (const key of KEYS) {
      try {
        const stored = await bytes.get(key);
        if (stored !== undefined) return readStoreState(stored);
      } catch (error) {
        if (!(error instanceof WireError)) unread ??= error;
        onDamage?.(error);
      }
    }
    // A state that cannot be read now may be readable later. A new state would lose it permanently.
    if (unread !== undefined) throw unread;
    return { highest: 0, versions: [] };
  };
  const read = (): Promise<StoreState> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));

  return {
    read,
    change: (update) =>
      turns.run(async () => {
        const known = await read();
        const next = update(known);
        if (next === known) return known;
        const written = writeStoreState(next);
        await bytes.set(KEYS[0], written);
        opened = Promise.resolve(next);
        // Written second, so that one of the two is intact at any time. The copy is optional: a full disk may
        // lack it.
        await bytes.set(KEYS[1], written).catch((error: unknown) => onDamage?.(error));
        return next;
      }),
  };
}
