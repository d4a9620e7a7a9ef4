import { SednaError } from "../../errors.ts";

/** Options of {@link requireCohort}. */
interface RequireCohortOptions {
  readonly expected: number;
  readonly got: number;
  readonly of?: string;
}

/**
 * Checks that a cohort is large enough for the rule's guarantee. Falling back to the mean would guarantee
 * nothing.
 * @throws {SednaError} `cohort-too-small` If there are fewer than `expected` updates.
 */
export function requireCohort(rule: string, { expected, got, of = "updates" }: RequireCohortOptions): void {
  if (got < expected)
    throw new SednaError(`aggregate by ${rule}: expected at least ${expected} ${of}; got ${got}`, {
      code: "cohort-too-small",
    });
}
