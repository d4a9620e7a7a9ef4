import type { EngineReport } from "./engine-check.ts";

/** A browser engine that is installed on this machine. */
export interface Engine {
  readonly name: "Chromium" | "Firefox" | "WebKitGTK";
  /** Opens a page in a fresh profile, waits for its report, and ends all processes that it started. */
  report(url: string): Promise<EngineReport>;
}

/**
 * Polls the page until its report is there.
 * @throws {Error} If there is no report within `timeoutMs`.
 */
export async function pollReport(
  read: () => Promise<unknown>,
  { timeoutMs = 120_000 }: { readonly timeoutMs?: number } = {},
): Promise<EngineReport> {
  const started = performance.now();
  while (performance.now() - started < timeoutMs) {
    const report = await read();
    if (report) return report as EngineReport;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`read an engine's report: expected it within ${timeoutMs} ms; got none`);
}
