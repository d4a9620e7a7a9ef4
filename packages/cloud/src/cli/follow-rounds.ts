import type { Federation } from "../federation/federation.ts";
import type { Logger } from "../http/service.ts";

/** Options of {@link followRounds}. */
export interface FollowRoundsOptions {
  readonly logger: Logger;
  /** Saves the latest model. */
  readonly file?: {
    save(model: {
      readonly layout: Federation["plan"]["layout"];
      readonly parameters: Float32Array;
      readonly metadata: Readonly<Record<string, string>>;
    }): void;
  };
  /** Called once after the last round, or at once if the federation is already done. */
  readonly onDone: () => void;
}

/**
 * Logs the outcome of each round and saves each model. If the federation resumed with a model, that model is
 * saved at once.
 */
export function followRounds(federation: Federation, { logger, file, onDone }: FollowRoundsOptions): void {
  const { plan } = federation;
  const save = (version: number, round: number): void => {
    const model = federation.model(version);
    if (model && version > 0)
      file?.save({
        layout: plan.layout,
        parameters: model.parameters,
        metadata: {
          federation: plan.name,
          aggregation: plan.aggregation,
          round: String(round),
          sha256: model.sha256,
        },
      });
  };
  const ended = (modelVersion: number): void => {
    logger.info({ modelVersion }, "done");
    onDone();
  };
  federation.onRound(({ round, modelVersion, outcome, done }) => {
    const { selected, accepted, rejected, totalSamples, durationMs, loss, accuracy } =
      federation.status().history.at(-1) ?? {};
    logger.info(
      {
        round,
        outcome,
        modelVersion,
        selected,
        accepted,
        rejected,
        totalSamples,
        durationMs,
        loss,
        accuracy,
      },
      "a round closed",
    );
    if (outcome === "aggregated") save(modelVersion, round);
    if (done) ended(modelVersion);
  });
  const { state, modelVersion, history } = federation.status();
  save(modelVersion, history.findLast(({ outcome }) => outcome === "aggregated")?.round ?? 0);
  if (state === "done") ended(modelVersion);
}
