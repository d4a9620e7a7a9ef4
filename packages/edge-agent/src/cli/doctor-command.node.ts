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
    description: "Path of a job file whose requirements to check too",
    required: false,
    valueHint: "job.yaml",
  },
  json: { type: "boolean", description: "Print the checks as JSON" },
} as const;

/**
 * `sedna-edge doctor`: reports what this device has, what it lacks, and how to fix it. Exits with status 1 if
 * a check fails.
 */
export const doctorCommand = defineCommand({
  meta: {
    name: "sedna-edge doctor",
    description:
      "Check what this device has and lacks for a job, and how to fix it; exits with status 1 if a check fails",
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
    // In memory, so that the doctor leaves no files behind. It does not need the versions that the agent has
    // seen.
    ...("manifest" in model
      ? { model: createModelStore({ ...model, bytes: memoryBytes() }) }
      : { modelFile: model.file }),
    directory: data,
    needsFfmpeg: !("directory" in source),
  };
}

/** Formats the checks as a table for people: one line per check, followed by its fix if it is not ok. */
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
