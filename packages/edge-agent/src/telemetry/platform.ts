import type { DiagnoseOptions } from "./diagnose-options.ts";
import type { HealthCheck } from "./health-check.ts";

/** Runs the doctor's checks of this platform, without the servers. */
export declare function platformChecks(options: DiagnoseOptions): Promise<readonly HealthCheck[]>;
