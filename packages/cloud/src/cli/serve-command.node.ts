import { tensors, type Task } from "@sedna-js/core";
import { imageTasks } from "@sedna-js/core/vision";
import { defineCommand } from "citty";
import { pino } from "pino";
import { bigModelService } from "../big-model/big-model-service.ts";
import { withUsageErrors, listOption, numberOption } from "./command-args.ts";
import { checkArgs } from "@sedna-js/core/check";
import { createCloud } from "../http/create-cloud.ts";
import { directoryModels } from "../models/directory-models.node.ts";
import { directorySamples } from "../samples/directory-samples.node.ts";
import { drainOnSignal } from "./drain-on-signal.node.ts";
import { modelService as publishedModels } from "../models/model-service.ts";
import { onnxFile, sharpDecoder } from "../big-model/onnx.node.ts";
import { sampleService } from "../samples/sample-service.ts";
import { serve } from "../http/serve.node.ts";
import type { ServedEstimator } from "../big-model/served-model.ts";
import type { Service } from "../http/service.ts";
import { UsageError } from "@sedna-js/core/check";

const tasks = { tensors: (_: { threshold?: number }) => tensors(), ...imageTasks };

const args = {
  model: { type: "string", description: "Path of the ONNX file", valueHint: "file" },
  models: {
    type: "string",
    description: "Serve the models published to this directory to edges",
    valueHint: "directory",
  },
  samples: {
    type: "string",
    description: "Store the samples that edges upload in this directory",
    valueHint: "directory",
  },
  "max-samples-per-second": {
    type: "string",
    description: "Samples accepted per second; more are rejected with a retry time",
    default: "200",
  },
  task: {
    type: "string",
    description: `Task of the model: ${Object.keys(tasks).join(", ")}`,
    default: "tensors",
  },
  threshold: { type: "string", description: "Minimum score of a detection", valueHint: "0..1" },
  name: { type: "string", description: "The model's name for clients", default: "sedna" },
  host: { type: "string", description: "Address to listen on", default: "127.0.0.1" },
  port: { type: "string", description: "Port to listen on; 0 selects a free port", default: "5000" },
  origin: { type: "string", description: "Origins of pages that may send requests, separated by commas" },
  token: { type: "string", description: "Bearer token that clients must send; or set SEDNA_TOKEN" },
  threads: { type: "string", description: "CPU threads of a run; 0 lets ONNX Runtime choose", default: "0" },
  "max-batch": { type: "string", description: "Maximum number of samples per run", default: "8" },
  "max-queue": {
    type: "string",
    description: "Maximum number of waiting samples; more are rejected with 503",
    default: "64",
  },
  "max-body-mb": {
    type: "string",
    description: "Maximum size of a request body in MiB; larger ones are rejected with 413",
    default: "32",
  },
} as const;

/**
 * `sedna-cloud serve`: serves one ONNX model as a big-model service, a sample store in a directory, published
 * models, or several of these.
 */
export const serveCommand = defineCommand({
  meta: {
    name: "sedna-cloud serve",
    description:
      "Serve an ONNX model to edges over Sedna's REST API and the Open Inference Protocol v2, serve signed models to edges, and store the samples that they upload",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    if (given.model === undefined && given.samples === undefined && given.models === undefined)
      throw new UsageError("expected at least one of --model, --samples, --models; got none");
    if (given.models === "") throw new UsageError("--models: expected the path of a directory; got nothing");
    if (given.samples === "")
      throw new UsageError("--samples: expected the path of a directory; got nothing");
    if (given.model === "") throw new UsageError("--model: expected the path of an ONNX file; got nothing");
    const number = (name: keyof typeof args, limits: Parameters<typeof numberOption>[1]): number =>
      numberOption({ name, text: given[name] ?? "" }, limits);
    if (!Object.hasOwn(tasks, given.task))
      throw new UsageError(`--task: expected one of ${Object.keys(tasks).join(", ")}; got ${given.task}`);
    const threshold =
      given.threshold === undefined
        ? {}
        : { threshold: number("threshold", { min: 0, max: 1, integer: false }) };
    const task = tasks[given.task as keyof typeof tasks](threshold) as Task<never, never>;

    const logger = pino({ base: null });
    const modelService = (path: string): Service => {
      const estimator = onnxFile({
        path,
        task,
        threads: number("threads", { min: 0 }),
      }) as unknown as ServedEstimator;
      return bigModelService({
        estimator,
        name: given.name,
        decodeImage: sharpDecoder(),
        maxBatch: number("max-batch", { min: 1 }),
        maxQueue: number("max-queue", { min: 1 }),
      });
    };
    const samplesService = (path: string): Service =>
      sampleService({
        store: directorySamples(path),
        perSecond: number("max-samples-per-second", { min: 1 }),
      });
    const cloud = await withUsageErrors(() =>
      createCloud({
        services: [
          ...(given.model === undefined ? [] : [modelService(given.model)]),
          ...(given.samples === undefined ? [] : [samplesService(given.samples)]),
          ...(given.models === undefined ? [] : [publishedModels({ files: directoryModels(given.models) })]),
        ],
        origins: listOption(given.origin),
        token: given.token ?? (process.env["SEDNA_TOKEN"] || undefined),
        maxBodyBytes: number("max-body-mb", { min: 1 }) * 2 ** 20,
        logger,
      }),
    );
    const served = await serve(cloud, { port: number("port", { min: 0, max: 65535 }), host: given.host });
    logger.info({ url: served.url, name: given.name }, "listening");
    await cloud.start();
    logger.info(
      {
        ...(given.model === undefined ? {} : { model: given.model, task: given.task }),
        ...(given.samples === undefined ? {} : { samples: given.samples }),
        ...(given.models === undefined ? {} : { models: given.models }),
      },
      "ready",
    );

    drainOnSignal(served, logger);
  },
});
