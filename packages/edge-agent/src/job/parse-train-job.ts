import { parseMapping, type MappingRules, type ParseJobOptions, type Say } from "./parse-mapping.ts";
import { dataSchemas, trainJobSchema } from "./train-job-schema.ts";
import type { TrainJob } from "./train-job.ts";

const rules: MappingRules<TrainJob> = {
  schema: trainJobSchema,
  kinds: { data: dataSchemas },
  secrets: ["federation.enrolmentToken"],
  contradictions: tellContradictions,
};

/**
 * Reads a training job from what its YAML or JSON says. Keys that it does not know are refused.
 * @throws {WireError} with a line for every problem: the place, what was expected, what came.
 */
export function parseTrainJob(value: unknown, options: ParseJobOptions = {}): TrainJob {
  return parseMapping(value, { ...options, rules });
}

function tellContradictions({ data, features, federation }: TrainJob, say: Say): void {
  if ("pictures" in data && !features)
    say(["features"], "expected a model that makes features of pictures, which differ in size; got none");
  if ("table" in data && features)
    say(["features"], "expected none for data.table, which has features already; got a model");
  if (federation.audience !== undefined && federation.enrolmentToken === undefined)
    say(["federation", "audience"], "expected enrolmentToken beside it; got none");
}
