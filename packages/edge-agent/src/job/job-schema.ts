import { hardExampleMining } from "@sedna-js/core";
import * as z from "zod/mini";

// The words of each schema are what a message says after "expected". Defaults are given here and nowhere else.

const text = z.string("a text").check(z.minLength(1, "a text of at least one letter"));
const name = z.string('letters, digits, ".", "_" and "-"').check(z.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'letters, digits, ".", "_" and "-"'));
const url = (protocols: readonly string[], example: string) =>
  z.string(`a URL such as ${example}`).check(z.refine((value) => protocols.includes(/^([a-z]+):\/\/[^/]/.exec(value)?.[1] ?? "") && canParse(value), `a URL such as ${example}`));
// Messages and logs tell these addresses; a camera's, which tells its password, is masked there.
const web = (example: string) => url(["http", "https"], example).check(z.refine((value) => !/^[a-z]+:\/\/[^/?#]*@/.test(value), "a URL without a user and password: a token has a setting of its own"));
const whole = (from: number, to: number) => {
  const words = `a whole number from ${from}${to === Infinity ? " up" : ` to ${to}`}`;
  return z.number(words).check(z.refine((value) => Number.isInteger(value) && value >= from && value <= to, words));
};
const above = (to: number) => {
  const words = `a number above 0, up to ${to}`;
  return z.number(words).check(z.refine((value) => value > 0 && value <= to, words));
};
const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) => z.enum(values, values.join(", "));
const yesNo = z.boolean("true or false");
const settings = z.record(z.string(), z.unknown(), "a mapping");
const map = <Shape extends z.core.$ZodShape>(shape: Shape) => z.strictObject(shape, "a mapping");
// 32 bytes are 43 digits, the last of 16 that leave no bits over, and the filling.
const publicKey = z.string("an Ed25519 public key: 32 bytes in base64").check(z.regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "an Ed25519 public key: 32 bytes in base64"));

const fps = z.optional(above(240));
const width = z.optional(whole(16, 16_384));
const token = z.optional(z.string("a token").check(z.regex(/^[\w.~+/-]+=*$/, 'a token of letters, digits and "-._~+/"')));
// The tasks whose samples are pictures: a device's sources give nothing else.
const taskNames = ["heatmap", "nanodet"] as const;
const minerNames = Object.keys(hardExampleMining) as [string, ...string[]];

/** Each kind of source, by the key that tells it. */
export const sourceSchemas = {
  rtsp: map({ rtsp: url(["rtsp", "rtsps"], "rtsp://192.168.1.20/stream1"), fps, width }),
  file: map({ file: text, fps: z._default(above(240), 5), width }),
  directory: map({ directory: text, watch: z._default(yesNo, true) }),
  webcam: map({ webcam: text, fps, width }),
};

/** Each kind of model, by the key that tells it. */
export const modelSchemas = {
  manifest: map({ manifest: web("https://models.example/people/manifest.json"), name: z.optional(text), keys: z.array(map({ id: text, publicKey }), "a list of public keys").check(z.minLength(1, "at least one public key")) }),
  file: map({ file: text, task: map({ name: oneOf(taskNames), options: z.optional(settings) }) }),
};

/** A job but for its source and model, which are read by their kinds. */
export const jobSchema = map({
  name,
  source: z.unknown(),
  model: z.unknown(),
  hardExampleMining: z.optional(map({ method: oneOf(minerNames), param: z.optional(settings) })),
  bigModel: z.optional(map({ url: web("https://cloud.example"), model: z.optional(name), protocol: z.optional(oneOf(["sedna", "oip"])), token })),
  policy: z.optional(oneOf(["joint", "edge-first", "cloud-first", "edge-only", "cloud-only"])),
  deadlineMs: z.optional(above(2 ** 31 - 1)),
  threads: z.optional(whole(1, 256)),
  privacy: z._default(map({ level: oneOf(["never", "features", "crop", "blurred", "full"]) }), { level: "features" }),
  samples: z.optional(map({ url: web("https://cloud.example"), token, maxItems: z.optional(whole(1, 1e7)), maxMegabytes: z.optional(above(1e6)), ttlHours: z.optional(above(24 * 365)), whenFull: z.optional(oneOf(["reject-new", "drop-oldest", "drop-lowest-priority"])) })),
  update: z.optional(map({ pollSeconds: z.optional(above(86_400)), sednaConfig: z.optional(text), trustLocalFiles: z.optional(yesNo) })),
  report: z.optional(map({
    sednaLocalController: web("http://127.0.0.1:9100"),
    worker: z.optional(name),
    namespace: z.optional(name),
    ownerName: z.optional(name),
    ownerKind: z.optional(oneOf(["jointinferenceservice", "federatedlearningjob", "incrementallearningjob", "lifelonglearningjob"])),
    periodSeconds: z.optional(above(86_400)),
  })),
  status: z._default(map({ port: z._default(whole(0, 65_535), 9465), host: z._default(text, "127.0.0.1") }), { port: 9465, host: "127.0.0.1" }),
  data: z.optional(text),
  output: z._default(oneOf(["none", "json"]), "none"),
});

function canParse(value: string): boolean {
  try {
    return new URL(value).href !== "";
  } catch {
    return false;
  }
}
