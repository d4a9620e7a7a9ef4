import type { PauseWatch } from "./platform.ts";

/** Source: W3C Battery Status API; Chromium has it. */
interface BatteryManager extends EventTarget {
  readonly charging: boolean;
  readonly level: number;
}

/** Source: WICG Network Information API; Chromium has it. */
interface NetworkInformation extends EventTarget {
  readonly saveData?: boolean;
  readonly type?: string;
}

interface TellingNavigator {
  getBattery?(): Promise<BatteryManager>;
  readonly connection?: NetworkInformation;
}

/** Tells when a browser says that it is no time to train. What it does not tell of pauses nothing; a Worker sees no page. */
export function watchPauses({ settings, tell, signal }: PauseWatch): void {
  const { battery = { below: 0.3 }, visibility = true, dataSaver = true } = settings;
  const { connection, getBattery } = navigator as unknown as TellingNavigator;

  if (visibility && typeof document !== "undefined") {
    const see = (): void => tell("hidden", document.visibilityState === "hidden");
    document.addEventListener("visibilitychange", see, { signal });
    see();
  }
  if (dataSaver && connection) {
    const see = (): void =>
      tell("data-saver", connection.saveData === true || connection.type === "cellular");
    connection.addEventListener("change", see, { signal });
    see();
  }
  if (battery && getBattery) {
    getBattery.call(navigator).then(
      (manager) => {
        if (signal.aborted) return;
        const see = (): void => tell("battery", !manager.charging && manager.level < battery.below);
        for (const event of ["chargingchange", "levelchange"])
          manager.addEventListener(event, see, { signal });
        see();
      },
      // Forbidden to this page, by its policy or its frame.
      () => {},
    );
  }
}
