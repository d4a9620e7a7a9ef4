import { platformChecks } from "#platform/telemetry";
import type { DiagnoseOptions } from "./diagnose-options.ts";
import type { HealthCheck } from "./health-check.ts";
import { serverChecks } from "./server-checks.ts";

/**
 * Checks what an agent needs: the platform's runtime, graphics, storage, and memory, the servers, the clock,
 * and the model's signature. Leaves nothing changed. Never rejects: a check that throws is reported as
 * failed.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<readonly HealthCheck[]> {
  const [platform, servers] = await Promise.all([platformChecks(options), serverChecks(options)]);
  return [...platform, ...servers];
}
