import type { PauseWatch } from "./platform.ts";

/** Source: W3C Battery Status API, supported by Chromium. */
interface BatteryManager extends EventTarget {
  readonly charging: boolean;
  readonly level: number;
}

/** Source: WICG Network Information API, supported by Chromium. */
interface NetworkInformation extends EventTarget {
  readonly saveData?: boolean;
  readonly type?: string;
}

interface TellingNavigator {
  getBattery?(): Promise<BatteryManager>;
  readonly connection?: NetworkInformation;
}

/**
 * Implements `watchPauses` of the platform contract. A condition that the browser does not report never
 * pauses. A Worker does not know whether its page is hidden.
 */
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
      // The page's policy or its frame forbids access to the battery.
      () => {},
    );
  }
}
