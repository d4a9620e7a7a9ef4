import { execFile } from "node:child_process";

/** Notifies systemd. See {@link createSdNotify}. */
export interface SdNotify extends Disposable {
  /**
   * Notifies systemd that the agent runs, and from then on sends the watchdog's heartbeat twice per
   * WatchdogSec.
   */
  ready(): void;
  stopping(): void;
}

/** Options of {@link createSdNotify}. */
export interface SdNotifyOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly onError?: (error: Error) => void;
}

/**
 * Implements the service's side of `Type=notify` and `WatchdogSec=`: systemd restarts a process whose event
 * loop hangs, because the heartbeat stops. Node has no Unix datagram socket, so this function runs
 * `systemd-notify`; the unit needs `NotifyAccess=all`. Does nothing if systemd did not start this process.
 *
 * Source: sd_notify(3), sd_watchdog_enabled(3).
 */
export function createSdNotify({
  environment = process.env,
  onError = () => {},
}: SdNotifyOptions = {}): SdNotify {
  const isWanted = Boolean(environment["NOTIFY_SOCKET"]);
  const watchdogMs = Number(environment["WATCHDOG_USEC"]) / 1000;
  let timer: NodeJS.Timeout | undefined;
  let failed = false;
  const tell = (...states: readonly string[]): void => {
    if (!isWanted) return;
    execFile("systemd-notify", [...states], { env: { ...environment }, timeout: 5000 }, (error) => {
      // Report once: a missing program would fail at every heartbeat.
      if (error && !failed) onError(error);
      failed ||= error !== null;
    });
  };
  return {
    ready() {
      if (timer !== undefined) return;
      tell("READY=1");
      if (watchdogMs > 0) timer = setInterval(() => tell("WATCHDOG=1"), watchdogMs / 2).unref();
    },
    stopping: () => tell("STOPPING=1"),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
