import type { PrivacyLevel } from "./privacy-policy.ts";

/**
 * Whether a sample that was kept as one kind, under the policy of its time, may leave under a level of today. Of pictures neither
 * `crop` nor `blurred` is within the other: one shows what the other hides.
 */
export function mayLeave(kind: string, level: PrivacyLevel): boolean {
  if (level === "never") return false;
  return level === "full" || kind === "features" || kind === level;
}
