import { execFile } from "node:child_process";

/** Tells systemd; see {@link createSdNotify}. */
export interface SdNotify extends Disposable {
  /** The agent runs. From now on systemd hears that it is alive, as often as its WatchdogSec wants. */
  ready(): void;
  stopping(): void;
}

/** Options of {@link createSdNotify}. */
export interface SdNotifyOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly onError?: (error: Error) => void;
}

/**
 * The agent's side of `Type=notify` and `WatchdogSec=`: a process whose loop hangs stops telling, and is
 * started again. Node has no datagram socket of the kind, so `systemd-notify` is run; the unit needs
 * `NotifyAccess=all`. Does nothing where systemd has not started this process. Source: sd_notify(3),
 * sd_watchdog_enabled(3).
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
      // Once: a missing program is missing every half minute.
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
