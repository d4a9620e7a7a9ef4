import type { Timers } from "../../timers.ts";

/** Tracks when clients were last active; see {@link createPresence}. */
export interface Presence {
  /** Records a request or an upload of a client. */
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
 * Detects clients that disappear without leaving, such as a closed tab or a device without power. A client
 * with a listener counts as present for as long as its socket is open.
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
