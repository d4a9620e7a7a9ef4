import type { JobSourceKind } from "./job-source-kind.ts";

/** The sources that a job can name on this platform. Jobs are a device's: browsers have none. */
export declare const jobSources: Readonly<Record<string, JobSourceKind>>;
