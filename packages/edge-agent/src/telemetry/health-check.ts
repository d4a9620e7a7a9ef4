import { messageOf } from "@sedna-js/core/errors";
/** What the doctor found in one place. */
export interface HealthCheck {
  readonly name: string;
  /** `warn`: it works, and somebody should know. `fail`: the job won't work like this. */
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** A check that says itself how it ended. */
export type RunCheck = () => Promise<Omit<HealthCheck, "name">>;

/** Runs checks at once; one that throws has failed. The order is the given one. */
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

/** Bytes for people. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
