import type { JobSourceKind } from "./job-source-kind.ts";

export const jobSources: Readonly<Record<string, JobSourceKind>> = {};
