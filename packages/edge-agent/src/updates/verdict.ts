import type { UpdateRefusal } from "./update-events.ts";
import type { CheckedUpdaterSettings } from "./updater-settings.ts";

/** What is thought of a version so far. */
export type Verdict =
  | { readonly decision: "wait" }
  | { readonly decision: "accept" }
  /** `reason` reads `expected ..., got ...`. */
  | { readonly decision: "refuse"; readonly refusal: UpdateRefusal; readonly reason: string };

/** How much slower a median is than another: over the ratio that is allowed, and by more than noise. NaN is never slower. */
export function isSlower(
  { ms, than }: { readonly ms: number; readonly than: number },
  { maxLatencyRatio, latencySlackMs }: Pick<CheckedUpdaterSettings, "maxLatencyRatio" | "latencySlackMs">,
): boolean {
  return ms > maxLatencyRatio * than && ms - than > latencySlackMs;
}

/** Milliseconds for people. */
export function inMs(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`;
}
