import type { Head, HeadOptimizer } from "@sedna-js/wasm-kernels";
import type { ClientResources, FederationPlan, SessionGrant, SessionRequest } from "./federation.ts";
import type { LayerSpec, TrainingPlan } from "../training/training-plan.ts";
import { failField, type Fields, fieldsOf, jsonOf, visibleAscii } from "./read-fields.ts";

// Messages by which clients join a federation, and the plan that they share. Each parser takes a message as
// text, as bytes, or as a result of JSON.parse, and drops unknown fields. JSON.stringify writes the messages.

const MAX_LAYERS = 10_000;
const MAX_AXES = 16;
/** Maximum number of parameters that the kernels can address. */
const MAX_PARAMETERS = 2 ** 30 - 1;
const MAX_SMALL_BYTES = 2 ** 16;
/** Enough for ten thousand layers with long names. */
const MAX_PLAN_BYTES = 2 ** 22;
/** An update with a smaller norm could not be distinguished from rounding errors. */
const MIN_NORM = 1e-30;
const BASE64 = { pattern: /^[A-Za-z0-9+/_-]*={0,2}$/, expected: "base64" };

/** The encodings of an update. */
export const UPDATE_ENCODINGS = ["f32", "f16", "int8", "topk"] as const;

/**
 * Whether a value is a name that is safe in URLs, file names and keys: letters and digits, with single
 * hyphens or underscores in between, at most 64 characters.
 */
export function isFederationName(text: unknown): text is string {
  return typeof text === "string" && text.length <= 64 && /^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/.test(text);
}

/** Returns the number of parameters of a layout. */
export function flatLength(layout: readonly Pick<LayerSpec, "shape">[]): number {
  return layout.reduce((sum, { shape }) => sum + shape.reduce((product, axis) => product * axis, 1), 0);
}

/**
 * Parses the first frame of a client's control socket.
 *
 * @throws {WireError} If the body is not a hello.
 */
export function parseHello(body: unknown): { readonly type: "hello"; readonly token: string } {
  const hello = fieldsOf(jsonOf(body, { what: "a hello", maxBytes: MAX_SMALL_BYTES }), "a hello");
  return { type: hello.oneOf("type", ["hello"]), token: readToken(hello) };
}

/**
 * Parses a request for a session. Does not verify the proof of the sender's identity.
 *
 * @throws {WireError} If the body is not a session request.
 */
export function parseSessionRequest(body: unknown): SessionRequest {
  const request = fieldsOf(
    jsonOf(body, { what: "a session request", maxBytes: MAX_SMALL_BYTES }),
    "a session request",
  );
  const proof = request.has("proof") ? request.object("proof") : undefined;
  return {
    protocol: readProtocol(request),
    device: request.text("device", { asKey: true }),
    numSamples: request.whole("numSamples"),
    ...(request.has("resources") && { resources: readResources(request.object("resources")) }),
    ...(proof && {
      proof: {
        at: proof.whole("at"),
        nonce: proof.text("nonce", visibleAscii),
        signature: proof.text("signature", BASE64),
      },
    }),
  };
}

/**
 * Parses the grant of a session.
 *
 * @throws {WireError} If the body is not a session grant.
 */
export function parseSessionGrant(body: unknown): SessionGrant {
  const grant = fieldsOf(
    jsonOf(body, { what: "a session grant", maxBytes: MAX_PLAN_BYTES }),
    "a session grant",
  );
  return {
    token: readToken(grant),
    expiresIn: grant.number("expiresIn"),
    epoch: grant.whole("epoch"),
    now: grant.number("now"),
    plan: readPlan(grant.object("plan")),
  };
}

/**
 * Parses the plan of a federation.
 *
 * @throws {WireError} If the body is not a plan, or the parts of the plan do not match.
 */
export function parseFederationPlan(body: unknown): FederationPlan {
  return readPlan(
    fieldsOf(jsonOf(body, { what: "a federation's plan", maxBytes: MAX_PLAN_BYTES }), "a federation's plan"),
  );
}

/**
 * Reads a plan that is part of another message.
 *
 * @throws {WireError} If the plan is invalid.
 */
export function readPlan(plan: Fields): FederationPlan {
  const protocol = readProtocol(plan);
  const name = plan.value("name");
  if (!isFederationName(name))
    failField(`${plan.where}.name`, {
      expected: "letters and digits with single hyphens or underscores in between, at most 64",
      got: name,
    });
  const layout = readLayout(plan);
  const length = flatLength(layout);
  const head = plan.has("head") ? readHead(plan.object("head")) : undefined;
  if (head && parametersOf(head) !== length)
    failField(`${plan.where}.head`, {
      expected: `a head of the layout's ${length} parameters`,
      got: parametersOf(head),
    });
  const encoding = plan.oneOf("encoding", UPDATE_ENCODINGS);
  // A share of 0 would send no numbers, so the minimum is the smallest positive number.
  const topkShare =
    plan.has("topkShare") || encoding === "topk"
      ? plan.number("topkShare", { least: Number.MIN_VALUE, most: 1 })
      : undefined;
  return {
    protocol,
    name,
    layout,
    ...(head && { head }),
    training: readTraining(plan.object("training")),
    aggregation: plan.text("aggregation"),
    mode: plan.oneOf("mode", ["rounds", "buffered"]),
    protection: plan.oneOf("protection", ["none", "secure-aggregation"]),
    encoding,
    topkShare,
    ...(plan.has("clipNorm") && { clipNorm: plan.number("clipNorm", { least: MIN_NORM }) }),
    numRounds: plan.whole("numRounds"),
    participants: plan.whole("participants", { least: 1 }),
    maxUpdateBytes: plan.whole("maxUpdateBytes", { least: 1 }),
    maxNumSamples: plan.whole("maxNumSamples", { least: 1 }),
  };
}

function readLayout(plan: Fields): LayerSpec[] {
  const layout = plan.list("layout", {
    least: 1,
    most: MAX_LAYERS,
    read(item, where) {
      const layer = fieldsOf(item, where);
      const axis = (value: unknown, at: string): number =>
        Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_PARAMETERS
          ? (value as number)
          : failField(at, { expected: `a whole number from 0 to ${MAX_PARAMETERS}`, got: value });
      return {
        name: layer.text("name", { asKey: true }),
        shape: layer.list("shape", { most: MAX_AXES, read: axis }),
      };
    },
  });
  const names = new Set<string>();
  for (const { name } of layout) {
    if (names.has(name)) failField(`${plan.where}.layout`, { expected: "each name once", got: name });
    names.add(name);
  }
  const length = flatLength(layout);
  if (!(length >= 1 && length <= MAX_PARAMETERS))
    failField(`${plan.where}.layout`, { expected: `1 to ${MAX_PARAMETERS} parameters in all`, got: length });
  return layout;
}

const parametersOf = (head: Head): number =>
  head.kind === "softmax"
    ? (head.features + 1) * head.classes
    : (head.features + 1) * head.hidden + (head.hidden + 1) * head.classes;

function readHead(head: Fields): Head {
  const kind = head.oneOf("kind", ["softmax", "mlp"]);
  const size = (name: string): number => head.whole(name, { least: 1, most: 0xffffff });
  return kind === "softmax"
    ? { kind, features: size("features"), classes: size("classes") }
    : { kind, features: size("features"), hidden: size("hidden"), classes: size("classes") };
}

function readTraining(training: Fields): TrainingPlan {
  return {
    epochs: training.whole("epochs", { least: 1, most: 100_000 }),
    batchSize: training.whole("batchSize", { least: 1 }),
    optimizer: readOptimizer(training.object("optimizer")),
    ...(training.has("proximal") && { proximal: training.number("proximal") }),
    ...(training.has("l2") && { l2: training.number("l2") }),
  };
}

/** Smallest positive float32. */
const MIN_RATE = 2 ** -149;
/** Largest number below 1. */
const BELOW_ONE = 1 - 2 ** -53;

function readOptimizer(optimizer: Fields): HeadOptimizer {
  const kind = optimizer.oneOf("kind", ["sgd", "adam"]);
  const learningRate = optimizer.number("learningRate", { least: MIN_RATE });
  const share = (name: "momentum" | "beta1" | "beta2") =>
    optimizer.has(name) && { [name]: optimizer.number(name, { most: BELOW_ONE }) };
  if (kind === "sgd") return { kind, learningRate, ...share("momentum") };
  return {
    kind,
    learningRate,
    ...share("beta1"),
    ...share("beta2"),
    ...(optimizer.has("epsilon") && { epsilon: optimizer.number("epsilon", { least: 1e-20 }) }),
  };
}

function readResources(resources: Fields): ClientResources {
  return {
    ...(resources.has("cores") && { cores: resources.whole("cores", { least: 1, most: 65_536 }) }),
    ...(resources.has("memoryMb") && { memoryMb: resources.number("memoryMb") }),
    ...(resources.has("backend") && { backend: resources.text("backend") }),
    ...(resources.has("charging") && { charging: resources.flag("charging") }),
    ...(resources.has("speed") && { speed: resources.number("speed") }),
  };
}

function readProtocol(fields: Fields): 1 {
  const given = fields.value("protocol");
  return given === 1 ? given : failField(`${fields.where}.protocol`, { expected: "1", got: given });
}

const readToken = (fields: Fields): string => fields.text("token", { most: 8192, ...visibleAscii });
