import { dirname, resolve } from "node:path";
import { defineCommand } from "citty";
import { pino } from "pino";
import { parseTrainJob } from "../job/parse-train-job.ts";
import type { TrainingData, TrainJob } from "../job/train-job.ts";
import { checkArgs } from "@sedna-js/core/check";
import { readJobFile } from "./read-job.node.ts";
import { runTraining } from "./run-training.node.ts";

const args = {
  job: {
    type: "positional",
    description: "Path of the training job file",
    required: true,
    valueHint: "job.yaml",
  },
} as const;

/** `sedna-edge train`: participates in a federation. */
export const trainCommand = defineCommand({
  meta: {
    name: "sedna-edge train",
    description:
      "Train with other devices in a federation: data stays on this device and only model updates are sent. Writes events as lines of JSON to standard output",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const job = await readTrainJob(given.job);
    const logger = pino({ base: null }, pino.destination({ fd: 2, sync: true }));
    // The reader may close the pipe; training continues.
    process.stdout.on("error", () => {});
    await runTraining({
      job,
      logger,
      write: (line) => void process.stdout.write(`${line}\n`),
      exit: (code) => process.exit(code),
    });
    process.exit(0);
  },
});

async function readTrainJob(path: string): Promise<TrainJob & { readonly state: string }> {
  const environment = process.env;
  const job = parseTrainJob(await readJobFile(path), { from: path, environment });
  const at = (name: string): string => resolve(dirname(path), name);
  const state = environment["STATE_DIRECTORY"]?.split(":")[0];
  return {
    ...job,
    data: placed(job.data, at),
    ...(job.features && { features: { ...job.features, model: at(job.features.model) } }),
    ...(job.save !== undefined && { save: at(job.save) }),
    state: job.state === undefined ? (state ?? resolve(".sedna", job.name)) : at(job.state),
  };
}

function placed(data: TrainingData, at: (name: string) => string): TrainingData {
  if ("pictures" in data) return { ...data, pictures: at(data.pictures) };
  return "table" in data ? { table: at(data.table) } : { images: at(data.images), labels: at(data.labels) };
}
