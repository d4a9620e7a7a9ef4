import type { FederationState } from "@sedna-js/core/federation";
import type { FederationPrivacy } from "@sedna-js/core/privacy";
import type { AccountedRound } from "../log/federation-log.ts";

/** What rounds cost; see {@link createRoundAccount}. */
export interface RoundAccount {
  /** What was spent after each round. */
  readonly epsilons: ReadonlyMap<number, number>;
  /** All rounds so far. */
  readonly rounds: readonly AccountedRound[];
  charge(round: AccountedRound): void;
  /** Charges the round that an event has closed with a model, if it has. */
  follow(turn: { readonly before: FederationState; readonly after: FederationState }): void;
}

/**
 * Keeps the account of a federation whose aggregator is private, so that a log can begin anew without losing
 * it.
 */
export function createRoundAccount(privacy: FederationPrivacy | undefined): RoundAccount {
  const epsilons = new Map<number, number>();
  const rounds: AccountedRound[] = [];
  const charge = (one: AccountedRound): void => {
    if (!privacy) return;
    const { round, ...cost } = one;
    rounds.push(one);
    privacy.onRound(cost);
    epsilons.set(round, privacy.spent().epsilon);
  };
  return {
    epsilons,
    rounds,
    charge,
    follow({ before: { open, present, modelVersion }, after }) {
      if (open && after.modelVersion !== modelVersion)
        charge({
          round: open.round,
          selected: open.selected.size,
          accepted: open.accepted.size,
          population: present,
        });
    },
  };
}
