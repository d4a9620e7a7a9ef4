/** The account of an aggregator that is private, as `privateAggregator` gives it beside the aggregator. */
export interface RoundPrivacy {
  /** What all rounds together have cost so far. */
  spent(): { readonly epsilon: number; readonly delta: number; readonly noiseMultiplier: number };
  /** Told of each round that was closed with a model, after a restart of those before it too. */
  onRound(round: { readonly selected: number; readonly counted: number; readonly population: number }): void;
}
