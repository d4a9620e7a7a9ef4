/** Closes a sample that holds memory of its own, such as a video frame; others need nothing. */
export function closeSample(sample: unknown): void {
  if (
    typeof sample === "object" &&
    sample !== null &&
    "close" in sample &&
    typeof sample.close === "function"
  )
    sample.close();
}
