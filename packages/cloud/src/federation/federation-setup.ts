import type { RoundSettings } from "@sedna-js/core/federation";
import type { FederationPlan } from "@sedna-js/core/wire";
import type { UpdateLimits } from "./updates/validate-update.ts";

/** The plan, settings, and limits that follow from {@link FederationOptions}. */
export interface FederationSetup {
  readonly plan: FederationPlan;
  readonly settings: RoundSettings;
  readonly limits: UpdateLimits;
  /** Number of model parameters. */
  readonly length: number;
}
