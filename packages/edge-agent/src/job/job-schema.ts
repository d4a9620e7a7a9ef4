import { hardExampleMining } from "@sedna-js/core";
import { type ParameterTable, textParameters } from "@sedna-js/core/check";
import { imageTasks } from "@sedna-js/core/vision";
import * as z from "zod/mini";
import {
  above,
  map,
  name,
  oneOf,
  publicKey,
  settings,
  text,
  token,
  web,
  whole,
  yesNo,
} from "./schema-words.ts";

// All defaults of a job are defined here.

// A device's sources yield only images.
const taskNames = Object.keys(imageTasks) as [string, ...string[]];
const minerNames = Object.keys(hardExampleMining) as [keyof typeof hardExampleMining];

/** The miner of a job: its name and its parameters, as the miner declares them. */
const minerSchema = map({ method: oneOf(minerNames), param: z.optional(settings) }).check((job) => {
  const { method, param = {} } = job.value;
  const { parameters }: { readonly parameters: ParameterTable } = hardExampleMining[method];
  const names = textParameters(parameters);
  for (const [name, value] of Object.entries(param)) {
    const path = ["param", name];
    if (!names.includes(name)) {
      const message = `one of the parameters of ${method}: ${names.join(", ") || "none"}`;
      job.issues.push({ code: "custom", message, path, input: param });
      continue;
    }
    try {
      parameters[name]!.read(name, value as never);
    } catch {
      job.issues.push({ code: "custom", message: parameters[name]!.expected, path, input: param });
    }
  }
});

/** The schema of each kind of model, by the key that identifies the kind. */
export const modelSchemas = {
  manifest: map({
    manifest: web("https://models.example/people/manifest.json"),
    name: z.optional(text),
    keys: z
      .array(map({ id: text, publicKey }), "a list of public keys")
      .check(z.minLength(1, "at least one public key")),
  }),
  file: map({ file: text, task: map({ name: oneOf(taskNames), options: z.optional(settings) }) }),
};

/** The schema of a job. The source and the model are parsed by their kinds. */
export const jobSchema = map({
  name,
  source: z.unknown(),
  model: z.unknown(),
  hardExampleMining: z.optional(minerSchema),
  bigModel: z.optional(
    map({
      url: web("https://cloud.example"),
      model: z.optional(name),
      protocol: z.optional(oneOf(["sedna", "oip"])),
      token,
    }),
  ),
  policy: z.optional(oneOf(["joint", "edge-first", "cloud-first", "edge-only", "cloud-only"])),
  deadlineMs: z.optional(above(2 ** 31 - 1)),
  threads: z.optional(whole(1, 256)),
  privacy: z._default(map({ level: oneOf(["never", "features", "crop", "blurred", "full"]) }), {
    level: "features",
  }),
  samples: z.optional(
    map({
      url: web("https://cloud.example"),
      token,
      maxItems: z.optional(whole(1, 1e7)),
      maxMegabytes: z.optional(above(1e6)),
      ttlHours: z.optional(above(24 * 365)),
      whenFull: z.optional(oneOf(["reject-new", "drop-oldest", "drop-lowest-priority"])),
    }),
  ),
  update: z.optional(
    map({
      pollSeconds: z.optional(above(86_400)),
      sednaConfig: z.optional(text),
      trustLocalFiles: z.optional(yesNo),
    }),
  ),
  report: z.optional(
    map({
      sednaLocalController: web("http://127.0.0.1:9100"),
      worker: z.optional(name),
      namespace: z.optional(name),
      ownerName: z.optional(name),
      ownerKind: z.optional(
        oneOf([
          "jointinferenceservice",
          "federatedlearningjob",
          "incrementallearningjob",
          "lifelonglearningjob",
        ]),
      ),
      periodSeconds: z.optional(above(86_400)),
    }),
  ),
  status: z._default(map({ port: z._default(whole(0, 65_535), 9465), host: z._default(text, "127.0.0.1") }), {
    port: 9465,
    host: "127.0.0.1",
  }),
  data: z.optional(text),
  output: z._default(oneOf(["none", "json"]), "none"),
});
