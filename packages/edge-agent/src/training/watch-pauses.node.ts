import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PauseWatch } from "./platform.ts";
import { poll } from "./poll.ts";

/**
 * Directory in which Linux reports batteries and chargers. Source: Linux's
 * Documentation/ABI/testing/sysfs-class-power.
 */
const LINUX = "/sys/class/power_supply";

/**
 * Implements `watchPauses` of the platform contract: reports a low battery if `battery` is set. Never pauses
 * on systems other than Linux or on devices without a battery.
 */
export function watchPauses(
  { settings: { battery = false, everyMs = 60_000 }, tell, signal }: PauseWatch,
  { directory = LINUX }: { readonly directory?: string } = {},
): void {
  if (battery)
    poll(async () => tell("battery", await runsLow(directory, battery.below)), { everyMs, signal });
}

/**
 * Returns whether all batteries of the device discharge and the fullest of them is below this fraction of its
 * charge.
 */
async function runsLow(directory: string, below: number): Promise<boolean> {
  const read = async (supply: string, name: string): Promise<string> =>
    (await readFile(join(directory, supply, name), "utf8").catch(() => "")).trim();
  const levels: number[] = [];
  for (const supply of await readdir(directory).catch(() => [])) {
    // A mouse has a battery too, whose scope is "Device".
    if ((await read(supply, "type")) !== "Battery" || (await read(supply, "scope")) === "Device") continue;
    const capacity = await read(supply, "capacity");
    const status = await read(supply, "status");
    if (status !== "Discharging") return false;
    if (/^\d+$/.test(capacity)) levels.push(Number(capacity) / 100);
  }
  return levels.length > 0 && Math.max(...levels) < below;
}
