import { WireError } from "@sedna-js/core";
import { checkArgs, UsageError } from "@sedna-js/core/check";
import { messageOf } from "@sedna-js/core/errors";
import { flatLength, SEDNA_MAX_FRAME_BYTES } from "@sedna-js/core/wire";
import { defineCommand } from "citty";
import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pino } from "pino";
import { createFederation } from "../federation/create-federation.ts";
import type { FederationOptions } from "../federation/federation-options.ts";
import { federationService } from "../federation/federation-service.ts";
import type { Federation } from "../federation/federation.ts";
import { directoryFederationLog } from "../federation/log/directory-federation-log.node.ts";
import { controlSocket } from "../federation/protocol/control-socket.ts";
import { sednaAggregation } from "../federation/sedna/sedna-aggregation.ts";
import { anonymousSessions, randomSecret } from "../federation/sessions/anonymous-sessions.ts";
import { enrolledSessions } from "../federation/sessions/enrolled-sessions.ts";
import { enrollmentService } from "../federation/sessions/enrollment-service.ts";
import { fileDeviceRegistry } from "../federation/sessions/file-device-registry.node.ts";
import type { Sessions } from "../federation/sessions/sessions.ts";
import { createCloud } from "../http/create-cloud.ts";
import { serve } from "../http/serve.node.ts";
import type { Service } from "../http/service.ts";
import { modelFile } from "../models/save-model.node.ts";
import { federationArgs, federationOptions } from "./aggregate-options.ts";
import { withUsageErrors, listOption, numberOption } from "./command-args.ts";
import { drainOnSignal } from "./drain-on-signal.node.ts";
import { followRounds } from "./follow-rounds.ts";

const args = {
  ...federationArgs,
  log: {
    type: "string",
    description: "Write the federation's log to this directory, so that a restart resumes the same round",
    valueHint: "directory",
  },
  save: {
    type: "string",
    description: "Save the latest model to this file, as safetensors",
    valueHint: "file",
  },
  sedna: {
    type: "boolean",
    description:
      "Also accept Sedna's Python clients, at /AGGREGATION, over Sedna's WebSocket protocol; without --token any client that reaches the server may take part",
  },
  keras: {
    type: "boolean",
    description:
      "Sedna's clients use the Keras layout of matrices, [inputs, outputs]; heads use [outputs, inputs]",
  },
  "ws-mb": {
    type: "string",
    description: "Maximum frame size of a Sedna client in MiB, Sedna's ws_size",
    default: "10",
  },
  exit: {
    type: "boolean",
    description: "Exit when the last round is done and its clients have left, or a minute later",
  },
  host: { type: "string", description: "Address to listen on", default: "127.0.0.1" },
  port: { type: "string", description: "Port to listen on; 0 selects a free port", default: "7363" },
  devices: {
    type: "string",
    description:
      "Accept only devices that prove their identity; the enrolled devices are kept in this directory",
    valueHint: "directory",
  },
  "enrollment-token": {
    type: "string",
    description:
      "What a device has to know to be enrolled, several separated by commas; or set SEDNA_ENROLLMENT_TOKEN",
  },
  origin: { type: "string", description: "Origins of pages that may take part, separated by commas" },
  token: {
    type: "string",
    description:
      "Bearer token that Sedna's clients and readers of /metrics must send; or set SEDNA_TOKEN. For the federation's own clients use --devices",
  },
} as const;

/** Approximate size of a float32 as a JSON number, in bytes. */
const JSON_BYTES = 20;

/** Time for which clients may stay connected after the last round with `--exit`, in ms. */
const GOODBYE_MS = 60_000;

/** `sedna-cloud aggregate`: a federation's aggregator. */
export const aggregateCommand = defineCommand({
  meta: {
    name: "sedna-cloud aggregate",
    description:
      "Aggregate a federation: clients train on their own data, which never leaves them, and each round combines their updates into a model",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const options = federationOptions(given);
    const port = numberOption({ name: "port", text: given.port }, { min: 0, max: 65535 });
    const frameMb = numberOption({ name: "ws-mb", text: given["ws-mb"] }, { min: 1, max: 256 });
    if (given.keras && !given.sedna) throw new UsageError("--keras: expected --sedna as well; got none");
    if (given.devices === "")
      throw new UsageError("--devices: expected the path of a directory; got nothing");
    if (given["enrollment-token"] !== undefined && !given.devices)
      throw new UsageError("--enrollment-token: expected --devices as well; got none");
    if (given.log === "") throw new UsageError("--log: expected the path of a directory; got nothing");
    await checkSave(given.save);
    await checkDevices(given.devices);
    const enrollmentToken = given["enrollment-token"] ?? (process.env["SEDNA_ENROLLMENT_TOKEN"] || undefined);

    const logger = pino({ base: null });
    const federation = await createIt({
      ...options,
      storage: given.log ? { log: directoryFederationLog(given.log) } : {},
      runtime: { logger },
    });
    const services: Service[] = [
      ...servicesOf(federation, { devices: given.devices, enrollmentToken }),
      ...(given.sedna
        ? [
            sednaAggregation({
              federation,
              transposed: given.keras === true,
              maxMessageBytes: frameMb * 2 ** 20,
            }),
          ]
        : []),
    ];
    const cloud = await withUsageErrors(() =>
      createCloud({
        services,
        origins: listOption(given.origin),
        token: given.token ?? (process.env["SEDNA_TOKEN"] || undefined),
        logger,
      }),
    );
    const file =
      given.save === undefined
        ? undefined
        : modelFile(given.save, {
            onError: (error) =>
              logger.error({ error: error.message, path: given.save }, "the model could not be saved"),
          });
    const served = await serve(cloud, { port, host: given.host });
    const { plan } = federation;
    logger.info({ url: served.url, name: plan.name }, "listening");
    const end = async (): Promise<void> => {
      await served.close();
      await file?.settled();
    };
    drainOnSignal({ close: end }, logger);
    await cloud.start();
    followRounds(federation, {
      logger,
      file,
      onDone: () =>
        given.exit &&
        void whenGone(federation)
          .then(end)
          .then(() => process.exit(0)),
    });
    const parameters = flatLength(plan.layout);
    logger.info(
      {
        aggregation: plan.aggregation,
        participants: plan.participants,
        rounds: plan.numRounds,
        parameters,
        ...(given.log && { log: given.log }),
        ...(given.save && { save: given.save }),
        ...(given.sedna && { sedna: `${served.url.replace("http", "ws")}/${plan.aggregation}` }),
      },
      "ready",
    );
    if (given.sedna && parameters * JSON_BYTES > SEDNA_MAX_FRAME_BYTES)
      logger.info(
        { parameters },
        "Sedna's own client accepts frames of at most 16 MiB; a model with this many parameters is larger",
      );
    if (!given.log) logger.info({}, "without --log a restart starts from scratch");
    if (!given.devices)
      logger.info(
        {},
        "any device that reaches this port may take part; --devices accepts only enrolled devices",
      );
    else if (enrollmentToken === undefined)
      logger.info(
        {},
        "without --enrollment-token no device can enroll; only devices enrolled before can take part",
      );
  },
});

/**
 * Returns the services of a federation over HTTP and WebSockets, for any device or, with `devices`, only for
 * enrolled devices.
 */
function servicesOf(
  federation: Federation,
  {
    devices,
    enrollmentToken,
  }: { readonly devices: string | undefined; readonly enrollmentToken: string | undefined },
): Service[] {
  const federations = [federation];
  const { name } = federation.plan;
  const serviceBy = (sessions: Sessions): Service =>
    federationService({ federations, sessions, sockets: [controlSocket({ federations, sessions })] });
  if (devices === undefined) return [serviceBy(anonymousSessions())];
  const sessions = enrolledSessions({
    audience: name,
    registry: fileDeviceRegistry({ directory: devices }),
    enrollmentTokens: listOption(enrollmentToken),
    secret: randomSecret(),
  });
  return [enrollmentService({ sessions, federations: [name] }), serviceBy(sessions)];
}

async function createIt(options: FederationOptions): Promise<Federation> {
  try {
    return await withUsageErrors(() => createFederation(options));
  } catch (error) {
    // The error is about the plan that results from the options.
    throw error instanceof WireError ? new UsageError(error.message) : error;
  }
}

async function checkSave(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const folder = path === "" ? undefined : await stat(dirname(resolve(path))).catch(() => undefined);
  const isFolder = path !== "" && (await stat(path).catch(() => undefined))?.isDirectory();
  if (!folder?.isDirectory() || isFolder)
    throw new UsageError(
      `--save: expected the path of a file in an existing directory; got ${path || "nothing"}`,
    );
}

/** Checks the directory at startup, not when the first device enrolls. */
async function checkDevices(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new UsageError(`--devices: expected a readable and writable directory; got ${messageOf(error)}`);
  }
}

/** Resolves when all clients of a federation have left or were dropped, or after {@link GOODBYE_MS}. */
async function whenGone(federation: Federation): Promise<void> {
  const latest = Date.now() + GOODBYE_MS;
  const isThere = (): boolean =>
    federation.status().clients.some(({ state }) => state !== "left" && state !== "dropped");
  while (isThere() && Date.now() < latest) await new Promise((resolve) => setTimeout(resolve, 250));
}
