import { SednaError } from "../../errors.ts";

/** Options of {@link requireCohort}. */
interface RequireCohortOptions {
  readonly expected: number;
  readonly got: number;
  readonly of?: string;
}

/**
 * Refuses a cohort that is too small for what a rule promises: the mean in its place would promise nothing.
 * @throws {SednaError} `cohort-too-small`.
 */
export function requireCohort(rule: string, { expected, got, of = "updates" }: RequireCohortOptions): void {
  if (got < expected)
    throw new SednaError(`aggregate by ${rule}: expected at least ${expected} ${of}; got ${got}`, {
      code: "cohort-too-small",
    });
}
