import * as z from "zod/mini";
import { type MappingRules, type ParseJobOptions, parseMapping, type Say } from "./parse-mapping.ts";
import { above, map, name, oneOf, settings, text, token, web } from "./schema-words.ts";
import type { TrainJob } from "./train-job.ts";

/** Each kind of data, by the key that tells it. */
const dataSchemas = {
  pictures: map({
    pictures: text,
    classes: z.optional(z.array(text, "a list of folders").check(z.minLength(2, "at least two folders"))),
  }),
  images: map({ images: text, labels: text }),
  table: map({ table: text }),
};

/** A training job but for its data, which are read by their kind. */
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
  if (federation.audience !== undefined && federation.enrollmentToken === undefined)
    say(["federation", "audience"], "expected enrollmentToken beside it; got none");
}
