import type { FederationLog } from "./federation-log.ts";

/** A federation's log as one directory, which no other process may have open. */
export declare function directoryFederationLog(directory: string): FederationLog;
