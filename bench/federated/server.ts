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

// A child of the benchmark `federated-round`: an aggregator over HTTP, its log on the disk, and beside it a
// route that receives what comes and drops it. It tells its parent what it used.

/** What the server is started with. */
export interface ServerTask {
  readonly clients: number;
  readonly parameters: number;
  readonly rounds: number;
}

/** What it tells when it is asked. */
export interface ServerUse {
  /** The most memory that the process ever had, MB. */
  readonly peakRss: number;
  /** CPU time of the process, ms. */
  readonly cpuMs: number;
  /** Time in checking and adding updates and making models, ms. */
  readonly busyMs: number;
}

/** Names are tokens: who may take part is not what is measured. */
const anonymousSessions: Sessions = {
  grant: async ({ device }) => ({ client: device, epoch: 1, token: device, expiresIn: 3600 }),
  verify: async (token) => ({ client: token, epoch: 1 }),
  end() {},
};

/** Receives, and drops. */
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
      const use: ServerUse = {
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

// Nobody is left to ask.
process.on("disconnect", () => process.exit());
await main(JSON.parse(process.argv[2]!) as ServerTask);
