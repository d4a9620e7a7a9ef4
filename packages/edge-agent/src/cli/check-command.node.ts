import { defineCommand } from "citty";
import { checkArgs } from "@sedna-js/core/check";
import { readJob } from "./read-job.node.ts";

const args = {
  job: { type: "positional", description: "The job file", required: true, valueHint: "job.yaml" },
} as const;

/** `sedna-edge check`: reads a job and says what is wrong with it, without running anything. */
export const checkCommand = defineCommand({
  meta: { name: "sedna-edge check", description: "Read a job and say what is wrong with it" },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const { name, source, model, data } = await readJob(given.job);
    process.stdout.write(
      `${given.job}: good. ${name}: frames by ${Object.keys(source)[0]}, model by ${"manifest" in model ? "a signed manifest" : "a file without a signature"}, data in ${data}\n`,
    );
  },
});
