import type { PrivacyLevel } from "./privacy-policy.ts";

/**
 * Returns whether a sample that was stored under an earlier policy may leave the device under the current
 * level. Neither `crop` nor `blurred` includes the other: each shows pixels that the other hides.
 */
export function mayLeave(kind: string, level: PrivacyLevel): boolean {
  if (level === "never") return false;
  return level === "full" || kind === "features" || kind === level;
}
