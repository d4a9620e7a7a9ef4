import type { Timers } from "../../timers.ts";

/** Who was there lately; see {@link createPresence}. */
export interface Presence {
  /** A client asked or sent something. */
  seen(client: string): void;
  forget(client: string): void;
  close(): void;
}

/** Options of {@link createPresence}. */
interface PresenceOptions {
  readonly absentMs: number;
  readonly now: () => number;
  readonly timers: Timers;
  readonly isHeld: (client: string) => boolean;
  readonly onAbsent: (client: string) => void;
}

/**
 * Finds clients that have gone without a word: a tab that was closed, a device without power. Those that
 * somebody listens for are there, as long as their socket says so.
 */
export function createPresence({ absentMs, now, timers, isHeld, onAbsent }: PresenceOptions): Presence {
  const lastAt = new Map<string, number>();
  let timer: unknown;
  let closed = false;

  const watch = (): void => {
    if (closed || timer !== undefined || lastAt.size === 0) return;
    timer = timers.set(
      () => {
        timer = undefined;
        for (const [client, at] of lastAt) {
          if (isHeld(client)) lastAt.set(client, now());
          else if (now() - at >= absentMs) {
            lastAt.delete(client);
            onAbsent(client);
          }
        }
        watch();
      },
      Math.max(1, absentMs / 4),
    );
  };

  return {
    seen(client) {
      lastAt.set(client, now());
      watch();
    },
    forget: (client) => void lastAt.delete(client),
    close() {
      closed = true;
      if (timer !== undefined) timers.clear(timer);
      timer = undefined;
    },
  };
}
