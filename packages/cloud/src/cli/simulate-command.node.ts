import { defineCommand } from "citty";
import { federationArgs, federationOptions } from "./aggregate-options.ts";
import { withUsageErrors, numberOption } from "./command-args.ts";
import { checkArgs } from "@sedna-js/core/check";
import { idxDigits } from "../simulate/idx-digits.node.ts";
import { runSimulation, type SimulatedRound } from "../simulate/run-simulation.ts";
import { splitData, gaussianData } from "../simulate/simulation-data.ts";
import { tableSummary, tableHeader, tableLine } from "../simulate/simulation-table.ts";
import { UsageError } from "@sedna-js/core/check";

const { name: _name, head: _head, layers: _layers, ...shared } = federationArgs;

const args = {
  clients: { type: "string", description: "Number of clients", default: "1000" },
  dropouts: {
    type: "string",
    description: "Share of all turns in which a client silently drops out",
    default: "0",
  },
  stragglers: {
    type: "string",
    description: "Share of all turns in which a client takes longer than the round",
    default: "0",
  },
  malicious: {
    type: "string",
    description:
      "Share of the clients that attack: sign flips, scaling, NaN, wrong shapes, num_samples of 1e12, replays, oversize",
    default: "0",
  },
  alpha: {
    type: "string",
    description:
      "Similarity of the clients' data: at 0.1 most clients have one to three classes, at 100 all classes",
    default: "0.5",
  },
  digits: {
    type: "string",
    description:
      "Train on the IDX files in this directory, in MNIST's format; default: Gaussians of ten classes",
    valueHint: "directory",
  },
  seed: { type: "string", description: "Random seed; the same seed gives the same run", default: "1" },
  json: {
    type: "boolean",
    description: "Print one line of JSON per round, and one at the end, instead of a table",
  },
  ...shared,
  rounds: { ...shared.rounds, default: "20" },
  participants: { ...shared.participants, default: "50" },
  "deadline-s": { ...shared["deadline-s"], default: "60" },
} as const;

/**
 * `sedna-cloud simulate`: runs a whole federation in one process, to test settings before devices use them.
 */
export const simulateCommand = defineCommand({
  meta: {
    name: "sedna-cloud simulate",
    description:
      "Run a whole federation in one process, in simulated time: the real aggregator, and clients that really train a softmax head, drop out, send late updates, and attack",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const share = (name: "dropouts" | "stragglers" | "malicious"): number =>
      numberOption({ name, text: given[name] }, { min: 0, max: 1, integer: false });
    const clients = numberOption({ name: "clients", text: given.clients }, { min: 1, max: 1_000_000 });
    const [dropouts, stragglers, malicious] = [share("dropouts"), share("stragglers"), share("malicious")];
    if (dropouts + stragglers > 1)
      throw new UsageError(
        `--dropouts and --stragglers: expected a sum of at most 1; got ${dropouts + stragglers}`,
      );
    const seed = numberOption({ name: "seed", text: given.seed }, { min: 0, max: 2 ** 32 - 1 });
    const deal = {
      clients,
      seed,
      alpha: numberOption({ name: "alpha", text: given.alpha }, { min: 1e-4, max: 1e4, integer: false }),
    };
    if (given.digits === "") throw new UsageError("--digits: expected the path of a directory; got nothing");
    if (numberOption({ name: "rounds", text: given.rounds }, { min: 0 }) === 0)
      throw new UsageError(
        "--rounds: expected a whole number from 1 up, because a simulation must end; got 0",
      );
    const {
      aggregator,
      rounds = {},
      model: { training },
      uploads: { encoding, topkShare } = {},
      limits: { clipNorm } = {},
    } = federationOptions({ ...given, name: "simulation", head: "softmax:1x1", layers: undefined });
    const data =
      given.digits === undefined ? gaussianData(deal) : splitData(await idxDigits(given.digits), deal);
    if (rounds.participants! > data.parts.length)
      throw new UsageError(
        `--participants: expected at most the number of clients with data, ${data.parts.length}; got ${rounds.participants}`,
      );

    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    const started = performance.now();
    let isFirst = true;
    const tell = (round: SimulatedRound): void => {
      if (isFirst && !given.json) say(tableHeader());
      isFirst = false;
      say(given.json ? JSON.stringify({ type: "round", ...round }) : tableLine(round));
    };
    const result = await withUsageErrors(() =>
      runSimulation({
        data,
        aggregator,
        rounds,
        dropouts,
        stragglers,
        malicious,
        seed,
        training,
        ...(encoding && { encoding }),
        topkShare,
        clipNorm,
        onRound: tell,
      }),
    );
    const tookMs = performance.now() - started;
    const { model: _model, rounds: closed, ...end } = result;
    const { loss, accuracy } = closed.at(-1) ?? {};
    say(
      given.json
        ? JSON.stringify({
            type: "end",
            ...end,
            rounds: closed.length,
            loss,
            accuracy,
            tookSeconds: tookMs / 1000,
          })
        : tableSummary(result, tookMs),
    );
  },
});
