import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createCloud,
  createFederation,
  directoryFederationLog,
  federationService,
  serve,
  type Federation,
  type Service,
  type Sessions,
} from "@sedna-js/cloud";
import { aggregation, select } from "@sedna-js/core";
import { jsonAggregator } from "./json-aggregator.ts";
import { bodyChunks } from "../../packages/cloud/src/http/body-chunks.ts";

// A child process of the benchmark `federated-round`: an aggregator over HTTP with its log on disk, and a
// route that receives bytes and drops them. It reports its resource use to its parent.

/** The arguments of the server. */
export interface ServerTask {
  readonly clients: number;
  readonly parameters: number;
  readonly rounds: number;
}

/** The resource use that the server reports on request. */
export interface ServerUsage {
  /** Peak resident memory of the process, in MiB. */
  readonly peakRss: number;
  /** CPU time of the process, in ms. */
  readonly cpuMs: number;
  /** Time for validating and adding updates and computing models, in ms. */
  readonly busyMs: number;
}

/** Device names serve as tokens, because authentication is not measured. */
const anonymousSessions: Sessions = {
  grant: async ({ device }) => ({ client: device, epoch: 1, token: device, expiresIn: 3600 }),
  verify: async (token) => ({ client: token, epoch: 1 }),
  end() {},
};

/** A service that receives a body and drops it. */
const dropping: Service = {
  name: "dropping",
  ready: true,
  guardedPaths: ["/drop"],
  async start() {},
  mount(app) {
    app.put("/drop", async (c) => {
      let bytes = 0;
      for await (const piece of bodyChunks(c.req.raw)) bytes += piece.length;
      return c.json({ bytes });
    });
  },
  async close() {},
};

async function main({ clients, parameters, rounds }: ServerTask): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sedna-round-"));
  const federation: Federation = createFederation({
    name: "round",
    model: { layout: [{ name: "weight", shape: [parameters] }] },
    aggregator: select(aggregation, { method: "FedAvg" }),
    rounds: {
      participants: clients,
      numRounds: rounds,
      overSelect: 1,
      selectionMs: 600_000,
      deadlineMs: 600_000,
    },
    storage: { log: directoryFederationLog(directory) },
  });
  const cloud = createCloud({
    services: [federationService({ federations: [federation], sessions: anonymousSessions }), dropping],
  });
  await cloud.start();
  const serving = await serve(cloud, { port: 0 });
  const json = await jsonAggregator(clients);
  process.on("message", async (message) => {
    if (message === "use") {
      const status = await readFile("/proc/self/status", "utf8").catch(() => "");
      const { user, system } = process.cpuUsage();
      const use: ServerUsage = {
        peakRss: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) / 1024,
        cpuMs: (user + system) / 1000,
        busyMs: federation.stats().busyMs,
      };
      process.send!(use);
    } else {
      json.close();
      await serving.close();
      await rm(directory, { recursive: true });
      process.disconnect();
    }
  });
  process.send!({ url: serving.url, jsonUrl: json.url });
}

// The parent has exited.
process.on("disconnect", () => process.exit());
await main(JSON.parse(process.argv[2]!) as ServerTask);
