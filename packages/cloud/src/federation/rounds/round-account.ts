import type { FederationState } from "@sedna-js/core/federation";
import type { FederationPrivacy } from "@sedna-js/core/privacy";
import type { AccountedRound } from "../log/federation-log.ts";

/** Privacy accounting of rounds; see {@link createRoundAccount}. */
export interface RoundAccount {
  /** Epsilon spent after each round, by round. */
  readonly epsilons: ReadonlyMap<number, number>;
  /** All accounted rounds so far. */
  readonly rounds: readonly AccountedRound[];
  charge(round: AccountedRound): void;
  /** Charges the round that an event has closed with a model, if any. */
  follow(turn: { readonly before: FederationState; readonly after: FederationState }): void;
}

/**
 * Creates the privacy account of a federation whose aggregator is private. A snapshot contains its rounds, so
 * that replacing the log does not lose them.
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
