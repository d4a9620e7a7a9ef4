import { messageOf } from "@sedna-js/core/errors";
import { defineCommand } from "citty";
import { pino } from "pino";
import { checkArgs } from "@sedna-js/core/check";
import { openJob } from "./open-job.node.ts";
import { readJob } from "./read-job.node.ts";
import { runJob } from "./run-job.node.ts";
import { UsageError } from "@sedna-js/core/check";

const levels = ["debug", "info", "warn", "error"];
const args = {
  job: { type: "positional", description: "Path of the job file", required: true, valueHint: "job.yaml" },
  "log-level": { type: "string", description: `Minimum level to log: ${levels.join(", ")}`, default: "info" },
} as const;

/** `sedna-edge run`: runs a job until its source ends or a signal stops the process. */
export const runCommand = defineCommand({
  meta: {
    name: "sedna-edge run",
    description:
      "Run a job: infer on frames from a camera or files on this device and send hard examples to the cloud",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const level = given["log-level"];
    if (!levels.includes(level))
      throw new UsageError(`--log-level: expected one of ${levels.join(", ")}; got ${level}`);
    const job = await readJob(given.job);
    // Log to standard error, synchronously: standard output is for results, and the last lines before a crash
    // matter most.
    const logger = pino({ base: null, level }, pino.destination({ fd: 2, sync: true }));
    // An unforeseen error leaves the process in an unknown state. Exit, so that the process supervisor
    // restarts it.
    process.on("uncaughtException", (error) => {
      logger.fatal({ err: error }, "exiting because of an unexpected error");
      process.exit(1);
    });
    const onSkip = ({ path, error }: { readonly path: string; readonly error: unknown }): void =>
      logger.warn({ path, error: messageOf(error) }, "skipped a file that is not a readable image");
    await runJob({ job, agent: openJob(job, { onSkip }), logger, exit: (code) => process.exit(code) });
    process.exit(0);
  },
});
