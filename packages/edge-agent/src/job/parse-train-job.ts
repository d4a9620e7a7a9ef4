import * as z from "zod/mini";
import { type MappingRules, type ParseJobOptions, parseMapping, type Say } from "./parse-mapping.ts";
import { above, map, name, oneOf, settings, text, token, web } from "./schema-words.ts";
import type { TrainJob } from "./train-job.ts";

/** The schema of each kind of data, by the key that identifies the kind. */
const dataSchemas = {
  pictures: map({
    pictures: text,
    classes: z.optional(z.array(text, "a list of folders").check(z.minLength(2, "at least two folders"))),
  }),
  images: map({ images: text, labels: text }),
  table: map({ table: text }),
};

/** The schema of a training job. The data is parsed by its kind. */
const trainJobSchema = map({
  name,
  federation: map({
    url: web("https://cloud.example"),
    name,
    control: z._default(oneOf(["socket", "poll"]), "socket"),
    enrollmentToken: token,
    audience: z.optional(text),
  }),
  data: z.unknown(),
  features: z.optional(map({ model: text, output: z.optional(text), input: z.optional(settings) })),
  pauses: z.optional(map({ battery: z.optional(above(1)) })),
  save: z.optional(text),
  state: z.optional(text),
});

const rules: MappingRules<TrainJob> = {
  schema: trainJobSchema,
  kinds: { data: dataSchemas },
  secrets: ["federation.enrollmentToken"],
  contradictions: tellContradictions,
};

/**
 * Parses a training job from the value of its YAML or JSON. Unknown keys are rejected.
 *
 * @throws {WireError} If the job is invalid, with a line per problem: the path, what was expected, and what
 * was found.
 */
export function parseTrainJob(value: unknown, options: ParseJobOptions = {}): TrainJob {
  return parseMapping(value, { ...options, rules });
}

function tellContradictions({ data, features, federation }: TrainJob, say: Say): void {
  if ("pictures" in data && !features)
    say(["features"], "expected a model that computes features of images, which differ in size; got none");
  if ("table" in data && features)
    say(["features"], "expected none for data.table, which already holds features; got a model");
  if (federation.audience !== undefined && federation.enrollmentToken === undefined)
    say(["federation", "audience"], "expected enrollmentToken to be set too; got none");
}
