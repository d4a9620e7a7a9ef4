import type { Head } from "@sedna-js/wasm-kernels";
import { WireError } from "../errors.ts";
import { tensor } from "../tensor.ts";
import { fieldsOf, jsonOf } from "./read-fields.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

// MistNet: features are cut at a layer and made private on the edge, and are uploaded once; the head is
// trained in the cloud.
//
//   GET /v1/mistnet/<name> MistnetStatus
//   PUT /v1/mistnet/<name>/uploads/<device> a device's records, as safetensors; an identical repeat is
//   acknowledged, others are rejected
//   GET /v1/mistnet/<name>/head the trained head, as safetensors; until then 503 with Retry-After

/** Settings that all edges of a MistNet share. */
export interface MistnetPlan {
  readonly protocol: 1;
  readonly name: string;
  /**
   * Layer at which the model is cut: the name of an output, or Sedna's number of a layer. The edge interprets
   * it.
   */
  readonly cutLayer: string | number;
  /** Head that is trained on the features. */
  readonly head: Head;
  readonly mechanism: "laplace" | "gaussian";
  /** Privacy budget of a whole record: its features and its label together. */
  readonly epsilon: number;
  /** 0 with Laplace noise. */
  readonly delta: number;
  /** Share of epsilon for the label; the rest is for the features. */
  readonly labelShare: number;
  /**
   * Norm that features are scaled down to: L1 with Laplace, L2 with Gaussian noise. Must be set without
   * inspecting any records.
   */
  readonly bound: number;
  /** Maximum number of records of a device. */
  readonly maxRecords: number;
}

/** Status of a MistNet. */
export interface MistnetStatus {
  readonly plan: MistnetPlan;
  readonly state: "collecting" | "training" | "trained" | "abandoned";
  /** Number of devices whose records were received; `participants` is the number required. */
  readonly received: number;
  readonly participants: number;
  readonly records: number;
}

/** Records of one device. */
export interface MistnetRecords {
  /** Shape `[n, features]`. */
  readonly features: Float32Array;
  readonly labels: Uint32Array;
}

/** Media type of an upload. */
export const MISTNET_TYPE = "application/vnd.sedna.mistnet";

const FORMAT = "sedna-mistnet/1";
const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/;
/** Maximum number of features, classes and hidden units of a head. */
const MAX_SIZE = 2 ** 20;
const MAX_RECORDS = 10_000_000;

/**
 * Parses the plan of a MistNet.
 *
 * @throws {WireError} If the body is not a valid plan.
 */
export function parseMistnetPlan(body: unknown): MistnetPlan {
  const plan = fieldsOf(jsonOf(body, { what: "a MistNet plan", maxBytes: 65_536 }), "a MistNet plan");
  plan.whole("protocol", { least: 1, most: 1 });
  const mechanism = plan.oneOf("mechanism", ["laplace", "gaussian"]);
  const delta = plan.number("delta", { most: 0.5 });
  if ((mechanism === "gaussian") !== delta > 0)
    throw new WireError(
      `read a MistNet plan: expected a delta above 0 with Gaussian noise, and 0 with Laplace; got ${delta}`,
    );
  const head = plan.object("head");
  const kind = head.oneOf("kind", ["softmax", "mlp"]);
  const size = (name: string): number => head.whole(name, { least: 1, most: MAX_SIZE });
  const [features, classes] = [size("features"), head.whole("classes", { least: 2, most: MAX_SIZE })];
  return {
    protocol: 1,
    name: plan.text("name", { pattern: NAME, expected: "a name" }),
    cutLayer: typeof plan.value("cutLayer") === "number" ? plan.whole("cutLayer") : plan.text("cutLayer"),
    head:
      kind === "softmax" ? { kind, features, classes } : { kind, features, hidden: size("hidden"), classes },
    mechanism,
    epsilon: plan.number("epsilon", { least: 1e-3, most: 1e6 }),
    delta,
    labelShare: plan.number("labelShare", { least: 0.001, most: 0.999 }),
    bound: plan.number("bound", { least: 1e-6, most: 1e6 }),
    maxRecords: plan.whole("maxRecords", { least: 1, most: MAX_RECORDS }),
  };
}

/**
 * Parses the status of a MistNet.
 *
 * @throws {WireError} If the body is not a valid status.
 */
export function parseMistnetStatus(body: unknown): MistnetStatus {
  const status = fieldsOf(jsonOf(body, { what: "a MistNet status", maxBytes: 65_536 }), "a MistNet status");
  return {
    plan: parseMistnetPlan(status.value("plan")),
    state: status.oneOf("state", ["collecting", "training", "trained", "abandoned"]),
    received: status.whole("received"),
    participants: status.whole("participants"),
    records: status.whole("records"),
  };
}

/** Returns the maximum size of an upload, in bytes. */
export function maxMistnetBytes({ maxRecords, head: { features } }: MistnetPlan): number {
  return maxRecords * 4 * (features + 1) + 65_536;
}

/** Returns the noise parameters of the records. An upload made for other parameters is rejected. */
const privacyOf = ({ mechanism, epsilon, delta, labelShare, bound }: MistnetPlan): string =>
  JSON.stringify({ mechanism, epsilon, delta, labelShare, bound });

/** Encodes a device's records, together with the plan's noise parameters. */
export function writeMistnetUpload(
  { features, labels }: MistnetRecords,
  plan: MistnetPlan,
): Uint8Array<ArrayBuffer> {
  const width = plan.head.features;
  return writeSafetensors({
    tensors: {
      features: tensor("float32", [labels.length, width], features),
      labels: tensor("int32", [labels.length], Int32Array.from(labels)),
    },
    metadata: { format: FORMAT, name: plan.name, privacy: privacyOf(plan) },
  });
}

/**
 * Parses the records of an upload.
 *
 * @throws {WireError} If the format, the plan, a shape, a number or a label does not match the plan.
 */
export function readMistnetUpload(bytes: Uint8Array, plan: MistnetPlan): MistnetRecords {
  const { tensors, metadata } = readSafetensors(bytes);
  const expect = (
    holds: boolean,
    { expected, got }: { readonly expected: string; readonly got: unknown },
  ): void => {
    if (!holds) throw new WireError(`read MistNet records: expected ${expected}; got ${String(got)}`);
  };
  expect(metadata["format"] === FORMAT && metadata["name"] === plan.name, {
    expected: `${FORMAT} for ${plan.name}`,
    got: "another",
  });
  expect(metadata["privacy"] === privacyOf(plan), { expected: "noise as in the plan", got: "another" });
  const { features, labels } = tensors;
  const { features: width, classes } = plan.head;
  const count = labels?.shape[0] ?? 0;
  expect(
    Object.keys(tensors).length === 2 &&
      labels?.dtype === "int32" &&
      labels.shape.length === 1 &&
      count >= 1 &&
      count <= plan.maxRecords,
    {
      expected: `labels as int32 [1 to ${plan.maxRecords}]`,
      got: labels ? `${labels.dtype} [${labels.shape}]` : "none",
    },
  );
  expect(
    features?.dtype === "float32" &&
      features.shape.length === 2 &&
      features.shape[0] === count &&
      features.shape[1] === width,
    {
      expected: `features as float32 [${count},${width}]`,
      got: features ? `${features.dtype} [${features.shape}]` : "none",
    },
  );
  const [numbers, classesOf] = [features!.data as Float32Array, labels!.data as Int32Array];
  expect(numbers.every(Number.isFinite), { expected: "finite features", got: "others" });
  expect(
    classesOf.every((label) => label >= 0 && label < classes),
    { expected: `labels below ${classes}`, got: "others" },
  );
  return { features: numbers, labels: Uint32Array.from(classesOf) };
}
