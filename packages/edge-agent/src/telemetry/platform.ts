import type { DiagnoseOptions } from "./diagnose-options.ts";
import type { HealthCheck } from "./health-check.ts";

/** What the doctor finds in this platform, without the servers. */
export declare function platformChecks(options: DiagnoseOptions): Promise<readonly HealthCheck[]>;
