import type { FederationLog } from "./federation-log.ts";

/** Returns a federation log that is stored in one directory, which no other process may have open. */
export declare function directoryFederationLog(directory: string): FederationLog;
