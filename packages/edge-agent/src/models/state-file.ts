import { WireError } from "@sedna-js/core";
import { createSerialQueue } from "@sedna-js/core/async";
import type { ByteStore } from "../storage/byte-store.ts";
import { readStoreState, writeStoreState, type StoreState } from "./store-state.ts";

/** What a model store remembers, on the disk. */
export interface StateFile {
  /** What was last written; nothing where there is nothing. */
  read(): Promise<StoreState>;
  /**
   * Writes what `update` makes of the state, unless it is the very same; one change after the other. It is on
   * the disk when this resolves.
   */
  change(update: (known: StoreState) => StoreState): Promise<StoreState>;
}

/**
 * The state, and its copy: which versions are good, and which is the highest that was seen, must outlive a
 * bad block.
 */
const KEYS = ["state.json", "state-copy.json"] as const;

/**
 * The state of a model store over any disk. `onDamage` is told of what cannot be read; the copy is taken
 * then.
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
    // What cannot be read now may be there later: to begin afresh would forget it for good.
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
        // Written after the first, so that one of them is whole at any time. It is a reserve: a full disk may
        // be without.
        await bytes.set(KEYS[1], written).catch((error: unknown) => onDamage?.(error));
        return next;
      }),
  };
}
