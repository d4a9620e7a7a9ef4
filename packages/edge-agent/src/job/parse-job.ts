import type { EdgeJob } from "./edge-job.ts";
import { jobSchema, modelSchemas, sourceSchemas } from "./job-schema.ts";
import { parseMapping, type MappingRules, type ParseJobOptions, type Say } from "./parse-mapping.ts";

export type { ParseJobOptions } from "./parse-mapping.ts";

const rules: MappingRules<EdgeJob> = {
  schema: jobSchema,
  kinds: { source: sourceSchemas, model: modelSchemas },
  secrets: ["source.rtsp", "bigModel.token", "samples.token"],
  contradictions: tellContradictions,
};

/**
 * Reads a job from what its YAML or JSON says. Keys that it does not know are refused, since a misspelt
 * setting would be a silent one.
 * @throws {WireError} with a line for every problem: the place, what was expected, what came.
 */
export function parseJob(value: unknown, options: ParseJobOptions = {}): EdgeJob {
  return parseMapping(value, { ...options, rules });
}

function tellContradictions(job: EdgeJob, say: Say): void {
  if (job.samples && job.privacy.level === "never")
    say(
      ["samples"],
      "expected none where privacy.level is never, since nothing may leave the device; got some",
    );
  if (job.update && !job.update.sednaConfig && !("manifest" in job.model))
    say(
      ["update"],
      "expected model.manifest, whose place tells new versions, or update.sednaConfig; got model.file",
    );
  if (job.update?.sednaConfig && "manifest" in job.model)
    say(
      ["update", "sednaConfig"],
      "expected model.file, since Sedna's files are not signed; got model.manifest",
    );
  if (job.update?.sednaConfig && job.update.trustLocalFiles !== true)
    say(
      ["update", "trustLocalFiles"],
      "expected true for sednaConfig, since nobody signs the files that it names; got no such word",
    );
  if (!job.bigModel && ["cloud-first", "cloud-only"].includes(job.policy ?? ""))
    say(["policy"], `expected a bigModel for ${job.policy}; got none`);
}
