import { describeValue } from "../../errors.ts";
import { type Parameter, parameterized } from "../../check/parameters.ts";
import type { AggregationRound, Aggregator, Accumulator } from "../aggregator.ts";
import { batchForm, requireBase, voters } from "../lib/batch-form.ts";
import { requireCohort } from "../lib/cohort.ts";
import { dot } from "../lib/dot.ts";
import { plainUpdates } from "../lib/plain-updates.ts";
import { initial } from "../lib/rule-parameters.ts";
import { noRestore } from "../lib/robust-aggregator.ts";
import { sgdServer, stepServer } from "../server-optimizer.ts";
import { trustedSum } from "../lib/trusted-sum.ts";
import { checkWeight } from "../lib/update-weight.ts";
import { flatten } from "../lib/whole-weights.ts";

type RootUpdate = (base: Float32Array) => Float32Array;

const rootUpdate: Parameter<RootUpdate, RootUpdate> & { readonly required: true } = {
  expected: "a function of the round's model",
  fallback: undefined,
  required: true,
  isText: false,
  read(name, given) {
    if (typeof given === "function") return given;
    throw new TypeError(`read ${name}: expected ${rootUpdate.expected}; got ${describeValue(given)}`);
  },
};

const parameters = {
  /**
   * Returns the update from training the given model on the server's own clean data, the root set. Called
   * once per round.
   */
  rootUpdate,
  initial,
};

/**
 * Trust based on a small clean data set of the server: an update is weighed by its cosine to the update that
 * the server trained on that set (the root update) and scaled to the root update's norm. An update with a
 * cosine of 0 or less is ignored. Even a majority of hostile clients moves the model only in directions that
 * agree with the root update. Sample counts of clients are ignored. Source: Cao et al., "FLTrust:
 * Byzantine-robust Federated Learning via Trust Bootstrapping", 2021.
 */
export const FLTrust = parameterized(parameters, ({ rootUpdate, initial }): Aggregator => {
  return {
    name: "FLTrust",
    minClients: 1,
    needsSumOnly: false,
    aggregate: batchForm({
      initial,
      next({ clients, base }) {
        const start = requireBase("FLTrust", base);
        const sum = trustedSum(rootUpdate(Float32Array.from(start)), start.length);
        for (const { weights } of voters(clients)) {
          const change = flatten(weights).map((x, i) => x - start[i]!);
          sum.add(change, Math.sqrt(dot(change, change)));
        }
        requireTrust(sum.trusted);
        const change = sum.mean(new Float64Array(start.length));
        return stepServer("FLTrust", {
          server: sgdServer(),
          turn: { base: start, change, serverState: undefined },
        }).model as Float64Array;
      },
    }),
    createAccumulator: (round) => trustAccumulator(round, rootUpdate),
  };
});

function trustAccumulator({ kernels, base }: AggregationRound, rootUpdate: RootUpdate): Accumulator {
  const sum = trustedSum(rootUpdate(base.slice()), base.length);
  const reader = plainUpdates(kernels, base.length);
  let count = 0;
  let totalWeight = 0;
  return {
    get count() {
      return count;
    },
    get totalWeight() {
      return totalWeight;
    },
    add(update, { weight }) {
      checkWeight(weight);
      const { values, l2Norm } = reader.read(update);
      sum.add(values, l2Norm);
      count += 1;
      totalWeight += weight;
      return { l2Norm };
    },
    state: () => undefined,
    restore: () => noRestore("FLTrust"),
    finish() {
      requireTrust(sum.trusted);
      return stepServer("FLTrust", {
        server: sgdServer(),
        turn: { base, change: sum.mean(new Float32Array(base.length)), serverState: undefined },
      }) as ReturnType<Accumulator["finish"]>;
    },
    dispose: () => reader.dispose(),
  };
}

function requireTrust(got: number): void {
  requireCohort("FLTrust", { expected: 1, got, of: "updates with a positive cosine to the root update" });
}
