import {
  createCloud,
  createFederation,
  directoryFederationLog,
  federationService,
  serve,
  type Sessions,
} from "@sedna-js/cloud";
import { aggregation, select } from "@sedna-js/core";

// An aggregator over HTTP that tests kill. Its state is in a directory, from which the next aggregator
// resumes. Clients' names are their tokens.

/** Arguments of the process, as JSON. */
export interface KillableAggregator {
  readonly directory: string;
  /** Port to listen on; 0 selects a free one, which the process reports. */
  readonly port: number;
  readonly method: "FedAvg" | "FedAvgM" | "Median";
  readonly participants: number;
  readonly numRounds: number;
  readonly parameters: number;
}

const sessions: Sessions = {
  grant: async ({ device }) => ({ client: device, epoch: 1, token: device, expiresIn: 3600 }),
  verify: async (token) => ({ client: token, epoch: 1 }),
  end() {},
};

const { directory, port, method, participants, numRounds, parameters } = JSON.parse(
  process.argv[2]!,
) as KillableAggregator;
const federation = createFederation({
  name: "mortal",
  model: { layout: [{ name: "weight", shape: [parameters] }] },
  aggregator: select(aggregation, { method }),
  rounds: { participants, numRounds, overSelect: 1, deadlineMs: 120_000 },
  storage: { log: directoryFederationLog(directory), keepUpdates: true, checkpoint: { updates: 3, ms: 200 } },
  runtime: { seed: 7 },
});
// Exit with the test's process, so that a crashed test leaves no aggregator behind.
process.on("disconnect", () => process.exit());
const cloud = createCloud({ services: [federationService({ federations: [federation], sessions })] });
await cloud.start();
const { url } = await serve(cloud, { port });
process.send!({ url });
