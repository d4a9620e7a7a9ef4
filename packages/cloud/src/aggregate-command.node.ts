import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { WireError } from "@sedna-js/core";
import { defineCommand } from "citty";
import { pino } from "pino";
import { federationArgs, federationOptions } from "./aggregate-options.ts";
import { asUsage, checkArgs, listOption, numberOption } from "./command-args.ts";
import { createCloud } from "./create-cloud.ts";
import { drainOnSignal } from "./drain-on-signal.node.ts";
import { createFederation } from "./federation/create-federation.ts";
import { directoryFederationLog } from "./federation/directory-federation-log.node.ts";
import type { FederationOptions } from "./federation/federation-options.ts";
import type { Federation } from "./federation/federation.ts";
import { sednaAggregation } from "./federation/sedna-aggregation.ts";
import { followRounds } from "./follow-rounds.ts";
import { modelFile } from "./save-model.node.ts";
import { serve } from "./serve.node.ts";
import type { Service } from "./service.ts";
import { UsageError } from "./usage-error.ts";

const args = {
  ...federationArgs,
  log: { type: "string", description: "Write what happens to this directory, so that a restart goes on in the same round", valueHint: "directory" },
  save: { type: "string", description: "Keep the newest model in this file, as safetensors", valueHint: "file" },
  sedna: { type: "boolean", description: "Let Sedna's Python clients in too, at /AGGREGATION, by its own WebSocket protocol (without authentication, but for --token)" },
  keras: { type: "boolean", description: "Sedna's clients have matrices as Keras does, [inputs, outputs], where heads have [outputs, inputs]" },
  "ws-mb": { type: "string", description: "Longest frame of a Sedna client in MiB, Sedna's ws_size", default: "10" },
  exit: { type: "boolean", description: "End when the last round is done and its clients have gone, or a minute later" },
  host: { type: "string", description: "Address to listen on", default: "127.0.0.1" },
  port: { type: "string", description: "Port to listen on; 0 takes a free one", default: "7363" },
  origin: { type: "string", description: "Origins of pages that may take part, separated by commas" },
  token: { type: "string", description: "Bearer token that clients must send; or set SEDNA_TOKEN" },
} as const;

/** How long clients may stay after the last round where `--exit` was said. */
const GOODBYE_MS = 60_000;

/** `sedna-cloud aggregate`: a federation's aggregator. */
export const aggregateCommand = defineCommand({
  meta: { name: "sedna-cloud aggregate", description: "Aggregate a federation: clients train on data that stays with them, and a model is made of their updates, round by round" },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const options = federationOptions(given);
    const port = numberOption({ name: "port", text: given.port }, { min: 0, max: 65535 });
    const frameMb = numberOption({ name: "ws-mb", text: given["ws-mb"] }, { min: 1, max: 256 });
    if (given.keras && !given.sedna) throw new UsageError("--keras: expected --sedna beside it; got none");
    if (given.log === "") throw new UsageError("--log: expected the path of a directory; got nothing");
    await checkSave(given.save);

    const logger = pino({ base: null });
    const federation = await createIt({ ...options, ...(given.log && { log: directoryFederationLog(given.log) }), logger });
    const services: Service[] = [
      aggregatorOf(federation),
      ...(given.sedna ? [sednaAggregation({ federation, transposed: given.keras === true, maxMessageBytes: frameMb * 2 ** 20 })] : []),
    ];
    const cloud = await asUsage(() => createCloud({ services, origins: listOption(given.origin), token: given.token ?? (process.env["SEDNA_TOKEN"] || undefined), logger }));
    const file = given.save === undefined ? undefined : modelFile(given.save, { onError: (error) => logger.error({ error: error.message, path: given.save }, "the model could not be saved") });
    const served = await serve(cloud, { port, host: given.host });
    const { plan } = federation;
    logger.info({ url: served.url, name: plan.name }, "listening");
    const end = async (): Promise<void> => {
      await served.close();
      await file?.settled();
    };
    drainOnSignal({ close: end }, logger);
    await cloud.start();
    followRounds(federation, { logger, ...(file && { file }), onDone: () => given.exit && void whenGone(federation).then(end).then(() => process.exit(0)) });
    logger.info(
      { aggregation: plan.aggregation, participants: plan.participants, rounds: plan.exitRound, parameters: plan.layout.reduce((sum, { shape }) => sum + shape.reduce((product, axis) => product * axis, 1), 0), ...(given.log && { log: given.log }), ...(given.save && { save: given.save }), ...(given.sedna && { sedna: `${served.url.replace("http", "ws")}/${plan.aggregation}` }) },
      "ready",
    );
    if (!given.log) logger.info({}, "without --log a restart begins anew");
  },
});

/** Starts and ends a federation with its cloud, and tells how it stands. */
function aggregatorOf(federation: Federation): Service {
  let started = false;
  return {
    name: "federations",
    mount(app) {
      app.get(`/v1/federations/${federation.plan.name}`, (c) => c.json(federation.status()));
    },
    async start() {
      await federation.start();
      started = true;
    },
    get ready() {
      return started;
    },
    close: () => federation.close(),
  };
}

async function createIt(options: FederationOptions): Promise<Federation> {
  try {
    return await asUsage(() => createFederation(options));
  } catch (error) {
    // Of the plan that the options came to.
    throw error instanceof WireError ? new UsageError(error.message) : error;
  }
}

async function checkSave(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const folder = path === "" ? undefined : await stat(dirname(resolve(path))).catch(() => undefined);
  const isFolder = path !== "" && (await stat(path).catch(() => undefined))?.isDirectory();
  if (!folder?.isDirectory() || isFolder) throw new UsageError(`--save: expected the path of a file in a directory that is there; got ${path || "nothing"}`);
}

/** Resolves when all clients of a federation have gone, or after a while. */
async function whenGone(federation: Federation): Promise<void> {
  const latest = Date.now() + GOODBYE_MS;
  const isThere = (): boolean => federation.status().clients.some(({ state }) => state !== "left" && state !== "dropped");
  while (isThere() && Date.now() < latest) await new Promise((resolve) => setTimeout(resolve, 250));
}
