import { engineChecks } from "./checks.ts";
import type { CheckOutcome, EngineCheck, EngineReport } from "./engine-check.ts";
import { missingFeatures } from "./features.ts";

// The page that every engine opens. It runs the checks one after the other and publishes its report.

async function outcomeOf({ name, lacks, run }: EngineCheck): Promise<CheckOutcome> {
  const missing = await lacks?.();
  if (missing !== undefined) return { name, state: "not there", note: missing };
  const started = performance.now();
  try {
    const note = (await run()) ?? "";
    return { name, state: "passed", note, ms: performance.now() - started };
  } catch (error) {
    return {
      name,
      state: "failed",
      note: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      ms: performance.now() - started,
    };
  }
}

// Run the checks one after the other: a software GPU cannot run two at once.
async function report(): Promise<EngineReport> {
  const outcomes: CheckOutcome[] = [];
  for (const check of engineChecks) outcomes.push(await outcomeOf(check));
  return { outcomes, notThere: await missingFeatures() };
}

Object.assign(globalThis, { engineReport: await report() });
