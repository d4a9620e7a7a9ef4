import type { EdgeJob } from "./edge-job.ts";
import { jobSources } from "#platform/job";
import { jobSchema, modelSchemas } from "./job-schema.ts";
import { parseMapping, type MappingRules, type ParseJobOptions, type Say } from "./parse-mapping.ts";

export type { ParseJobOptions } from "./parse-mapping.ts";

const rules: MappingRules<EdgeJob> = {
  schema: jobSchema,
  kinds: {
    source: Object.fromEntries(Object.entries(jobSources).map(([kind, { schema }]) => [kind, schema])),
    model: modelSchemas,
  },
  secrets: [
    ...Object.keys(jobSources).flatMap((kind) => (jobSources[kind]!.isSecret ? [`source.${kind}`] : [])),
    "bigModel.token",
    "samples.token",
  ],
  contradictions: tellContradictions,
};

/**
 * Parses a job from the value of its YAML or JSON. Unknown keys are rejected, because a misspelled setting
 * would otherwise be ignored silently.
 *
 * @throws {WireError} If the job is invalid, with a line per problem: the path, what was expected, and what
 * was found.
 */
export function parseJob(value: unknown, options: ParseJobOptions = {}): EdgeJob {
  return parseMapping(value, { ...options, rules });
}

function tellContradictions(job: EdgeJob, say: Say): void {
  if (job.samples && job.privacy.level === "never")
    say(["samples"], "expected none if privacy.level is never, since no data may leave the device; got some");
  if (job.update && !job.update.sednaConfig && !("manifest" in job.model))
    say(
      ["update"],
      "expected model.manifest, which can be polled for new versions, or update.sednaConfig; got model.file",
    );
  if (job.update?.sednaConfig && "manifest" in job.model)
    say(
      ["update", "sednaConfig"],
      "expected model.file, since Sedna's files are not signed; got model.manifest",
    );
  if (job.update?.sednaConfig && job.update.trustLocalFiles !== true)
    say(
      ["update", "trustLocalFiles"],
      "expected true for sednaConfig, since the files that it names are not signed; got another value",
    );
  if (!job.bigModel && ["cloud-first", "cloud-only"].includes(job.policy ?? ""))
    say(["policy"], `expected a bigModel for ${job.policy}; got none`);
}
