import { stripVTControlCharacters } from "node:util";
import { defineCommand } from "citty";
import type { EdgeJob } from "../job/edge-job.ts";
import { createModelStore } from "../models/create-model-store.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";
import { diagnose } from "../telemetry/doctor.ts";
import { type DiagnoseOptions } from "../telemetry/diagnose-options.ts";
import type { HealthCheck } from "../telemetry/health-check.ts";
import { checkArgs } from "@sedna-js/core/check";
import { readJob } from "./read-job.node.ts";

const args = {
  job: {
    type: "positional",
    description: "The job file, to check what it needs too",
    required: false,
    valueHint: "job.yaml",
  },
  json: { type: "boolean", description: "Print the checks as JSON" },
} as const;

/**
 * `sedna-edge doctor`: what this device has, lacks, and should do about it. Ends with 1 where something
 * fails.
 */
export const doctorCommand = defineCommand({
  meta: {
    name: "sedna-edge doctor",
    description: "What this device has and lacks for a job, and what to do; status 1 when it wouldn't work",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const checks = await diagnose(
      given.job === undefined ? { directory: ".sedna" } : needsOf(await readJob(given.job)),
    );
    process.stdout.write(`${given.json ? JSON.stringify(checks) : checkTable(checks)}\n`);
    if (checks.some(({ status }) => status === "fail")) process.exitCode = 1;
  },
});

function needsOf({
  bigModel,
  samples,
  report,
  source,
  model,
  data,
}: EdgeJob & { readonly data: string }): DiagnoseOptions {
  return {
    bigModel,
    samples,
    ...(report && { localController: { url: report.sednaLocalController } }),
    // In memory: a doctor leaves nothing behind, and what was seen before is the agent's affair.
    ...("manifest" in model
      ? { model: createModelStore({ ...model, bytes: memoryBytes() }) }
      : { modelFile: model.file }),
    directory: data,
    needsFfmpeg: !("directory" in source),
  };
}

/** The checks for people: a line each, and under it what to do. */
export function checkTable(checks: readonly HealthCheck[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const clean = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
  return checks
    .flatMap(({ name, status, found, fix }) => [
      `${status.padEnd(6)}${name.padEnd(width + 2)}${clean(found)}`,
      ...(fix && status !== "ok" ? [`${" ".repeat(width + 8)}-> ${clean(fix)}`] : []),
    ])
    .join("\n");
}
