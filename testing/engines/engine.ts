import type { EngineReport } from "./engine-check.ts";

/** A browser engine that is installed here. */
export interface Engine {
  readonly name: "Chromium" | "Firefox" | "WebKitGTK";
  /** Opens a page in a fresh profile, waits for its report and ends all that it started. */
  report(url: string): Promise<EngineReport>;
}

/** Polls the page until it has left its report. */
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
