import type { FederationOptions } from "@sedna-js/cloud";

/** Merges two sets of federation options group by group; `more` wins. Its `rounds` replace the base's. */
export function mergeFederationOptions(
  base: FederationOptions,
  more: Partial<FederationOptions>,
): FederationOptions;
export function mergeFederationOptions(
  base: Partial<FederationOptions>,
  more: Partial<FederationOptions>,
): Partial<FederationOptions>;
export function mergeFederationOptions(
  base: Partial<FederationOptions>,
  more: Partial<FederationOptions>,
): Partial<FederationOptions> {
  return {
    ...base,
    ...more,
    ...((base.model ?? more.model) && { model: { ...base.model, ...more.model } }),
    limits: { ...base.limits, ...more.limits },
    uploads: { ...base.uploads, ...more.uploads },
    storage: { ...base.storage, ...more.storage },
    privacy: { ...base.privacy, ...more.privacy },
    runtime: { ...base.runtime, ...more.runtime },
  };
}
