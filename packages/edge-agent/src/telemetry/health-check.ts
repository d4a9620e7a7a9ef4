import { messageOf } from "@sedna-js/core/errors";
/** Result of one check. */
export interface HealthCheck {
  readonly name: string;
  /** `warn`: works with limits. `fail`: the job will not work. */
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  /** How to fix the problem. */
  readonly fix?: string;
}

/** A check that returns its own status. */
export type RunCheck = () => Promise<Omit<HealthCheck, "name">>;

/**
 * Runs checks concurrently and returns their results in the given order. A check that throws is reported as
 * failed.
 */
export async function runChecks(checks: Readonly<Record<string, RunCheck>>): Promise<readonly HealthCheck[]> {
  return Promise.all(
    Object.entries(checks).map(async ([name, run]): Promise<HealthCheck> => {
      try {
        return { name, ...(await run()) };
      } catch (error) {
        return { name, status: "fail", found: messageOf(error) };
      }
    }),
  );
}

/** Formats bytes as megabytes. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
