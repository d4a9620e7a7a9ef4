import { defineCommand } from "citty";
import { checkArgs } from "@sedna-js/core/check";
import { readJob } from "./read-job.node.ts";

const args = {
  job: { type: "positional", description: "Path of the job file", required: true, valueHint: "job.yaml" },
} as const;

/** `sedna-edge check`: reads a job and reports its errors without running it. */
export const checkCommand = defineCommand({
  meta: { name: "sedna-edge check", description: "Validate a job file without running it" },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const { name, source, model, data } = await readJob(given.job);
    process.stdout.write(
      `${given.job}: valid. ${name}: frames from ${Object.keys(source)[0]}, model from ${"manifest" in model ? "a signed manifest" : "a file without a signature"}, data in ${data}\n`,
    );
  },
});
