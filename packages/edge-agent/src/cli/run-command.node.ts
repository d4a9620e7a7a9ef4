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
  job: { type: "positional", description: "The job file", required: true, valueHint: "job.yaml" },
  "log-level": { type: "string", description: `What is logged: ${levels.join(", ")}`, default: "info" },
} as const;

/** `sedna-edge run`: runs a job until its source ends or it is told to stop. */
export const runCommand = defineCommand({
  meta: {
    name: "sedna-edge run",
    description:
      "Run a job: frames from a camera or files, answered on this device and, where they are hard, in the cloud",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const level = given["log-level"];
    if (!levels.includes(level))
      throw new UsageError(`--log-level: expected one of ${levels.join(", ")}; got ${level}`);
    const job = await readJob(given.job);
    // To standard error, at once: standard output is for answers, and the last lines before an end are the
    // ones that matter.
    const logger = pino({ base: null, level }, pino.destination({ fd: 2, sync: true }));
    // What nobody foresaw ends the process in an unknown state; who supervises it starts it again.
    process.on("uncaughtException", (error) => {
      logger.fatal({ err: error }, "ended by an error that nobody expected");
      process.exit(1);
    });
    const onSkip = ({ path, error }: { readonly path: string; readonly error: unknown }): void =>
      logger.warn({ path, error: messageOf(error) }, "a file that is no picture is left out");
    await runJob({ job, agent: openJob(job, { onSkip }), logger, exit: (code) => process.exit(code) });
    process.exit(0);
  },
});
