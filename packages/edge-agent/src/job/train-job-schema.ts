import * as z from "zod/mini";
import { above, map, name, oneOf, settings, text, token, web } from "./schema-words.ts";

/** Each kind of data, by the key that tells it. */
export const dataSchemas = {
  pictures: map({
    pictures: text,
    classes: z.optional(z.array(text, "a list of folders").check(z.minLength(2, "at least two folders"))),
  }),
  images: map({ images: text, labels: text }),
  table: map({ table: text }),
};

/** A training job but for its data, which are read by their kind. */
export const trainJobSchema = map({
  name,
  federation: map({
    url: web("https://cloud.example"),
    name,
    control: z._default(oneOf(["socket", "poll"]), "socket"),
    enrolmentToken: token,
    audience: z.optional(text),
  }),
  data: z.unknown(),
  features: z.optional(map({ model: text, output: z.optional(text), input: z.optional(settings) })),
  pauses: z.optional(map({ battery: z.optional(above(1)) })),
  save: z.optional(text),
  state: z.optional(text),
});
