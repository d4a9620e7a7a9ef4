import { describeValue, WireError } from "../errors.ts";
import type { LayerSpec } from "../training/training-plan.ts";
import { listsOf, nestedJson, readNested } from "./nested-weights.ts";
import { checkParts, fieldsOf, type Fields } from "./read-fields.ts";

// Sedna's aggregation protocol V1: one JSON object a WebSocket frame. Source: Sedna's lib/sedna/service/server/aggregation.py
// and service/client.py, as captured. Where Python would take any number, text or NaN, this refuses.

/** A frame from one of Sedna's clients. */
export type SednaAggregationMessage =
  | {
      readonly type: "subscribe";
      /** Without one, Sedna's server makes it up and the client never learns it. */
      readonly clientId: string | undefined;
    }
  | {
      readonly type: "update_weight";
      readonly client: string | undefined;
      readonly numSamples: number;
      /** All layers one after the other, row-major: whole weights, not changes. */
      readonly weights: Float64Array;
      /** Goes back as it came. */
      readonly jobName: string | null | undefined;
    }
  /** Sedna's server sends any other frame to all, unread. Who serves many parties answers nothing. */
  | { readonly type: "other"; readonly name: string };

/** What {@link writeSednaRecvWeight} says. */
export interface SednaRecvWeight {
  /** Sedna's server answers with the last sender's frame, changed: these two are that sender's. */
  readonly client: string | undefined;
  readonly jobName: string | null | undefined;
  readonly totalSample: number;
  /** Rounds closed so far: 1 for the first. */
  readonly roundNumber: number;
  /** The new model, flat. */
  readonly weights: Float32Array | Float64Array;
  /** `ok` where this was the last round. */
  readonly exitFlag: "ok" | "continue";
}

/** What Sedna's client takes at most. */
export const SEDNA_MAX_FRAME_BYTES = 16 * 2 ** 20;

/** Lists and objects beside the weights. */
const OTHER_PARTS = 10_000;

/**
 * A frame from one of Sedna's clients. Weights must have the layout's layers in its order, and each the layer's shape.
 * @throws {WireError} on what is no JSON object, with a number that is not finite (Python writes NaN and Infinity, which are
 * no JSON), or an update_weight of another shape or without a whole number of samples.
 */
export function parseSednaAggregationMessage(
  frame: string | Uint8Array,
  {
    layout,
    maxBytes = SEDNA_MAX_FRAME_BYTES,
  }: { readonly layout: readonly LayerSpec[]; readonly maxBytes?: number },
): SednaAggregationMessage {
  const message = fieldsOf(
    parseFrame(frame, { maxBytes, maxParts: listsOf(layout) + OTHER_PARTS }),
    "a frame of Sedna's",
  );
  const type = message.has("type") ? message.text("type") : "";
  if (type === "subscribe")
    return {
      type,
      clientId: message.has("client_id")
        ? message.text("client_id", { least: 0, asKey: true }) || undefined
        : undefined,
    };
  if (type !== "update_weight") return { type: "other", name: type };
  const data = message.object("data");
  return {
    type,
    client: message.has("client") ? message.text("client", { least: 0, asKey: true }) : undefined,
    numSamples: data.whole("num_samples", { least: 1 }),
    weights: readNested(data.value("weights"), { layout, where: "a frame of Sedna's.data.weights" }),
    jobName: readJobName(message),
  };
}

/** What a client sends first, and a server then to all: for that client, the word that it is in. */
export function writeSednaSubscribe(clientId: string | undefined): string {
  return JSON.stringify({ type: "subscribe", client_id: clientId });
}

/** What a server sends to those who were there before. */
export function writeSednaClientJoin(clientId: string): string {
  return JSON.stringify({ type: "CLIENT_JOIN", data: clientId });
}

/**
 * What a server sends to all when a round has closed. Numbers are written as Python writes floats: its reader makes an int of
 * a number without a point, and an array of those has another type.
 * @throws {RangeError} on a number that is not finite. {TypeError} on weights that are not of the layout's length.
 */
export function writeSednaRecvWeight(
  { client, jobName, totalSample, roundNumber, weights, exitFlag }: SednaRecvWeight,
  { layout }: { readonly layout: readonly LayerSpec[] },
): string {
  const start = `{"type":"recv_weight"${field("client", client)},"data":{"total_sample":${totalSample},"round_number":${roundNumber},"weights":`;
  return `${start}${nestedJson(weights, layout)},"exit_flag":"${exitFlag}"}${field("job_name", jobName)},"round_number":${roundNumber}}`;
}

/** What a client sends when it has trained: for tools and tests, which stand in for Sedna's. */
export function writeSednaUpdateWeight(
  {
    client,
    jobName,
    numSamples,
    weights,
  }: {
    readonly client: string;
    readonly jobName: string | null;
    readonly numSamples: number;
    readonly weights: Float32Array | Float64Array;
  },
  { layout }: { readonly layout: readonly LayerSpec[] },
): string {
  return `{"type":"update_weight"${field("client", client)},"data":{"num_samples":${numSamples},"weights":${nestedJson(weights, layout)}}${field("job_name", jobName)}}`;
}

const field = (name: string, value: string | null | undefined): string =>
  value === undefined ? "" : `,"${name}":${JSON.stringify(value)}`;

function readJobName(message: Fields): string | null | undefined {
  return message.value("job_name") === null
    ? null
    : message.has("job_name")
      ? message.text("job_name", { least: 0 })
      : undefined;
}

function parseFrame(
  frame: string | Uint8Array,
  { maxBytes, maxParts }: { readonly maxBytes: number; readonly maxParts: number },
): unknown {
  if (frame.length > maxBytes)
    throw new WireError(`read a frame of Sedna's: expected at most ${maxBytes} bytes; got ${frame.length}`);
  let text = "";
  try {
    text = typeof frame === "string" ? frame : new TextDecoder("utf-8", { fatal: true }).decode(frame);
    checkParts(text, { what: "a frame of Sedna's", most: maxParts });
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof WireError) throw cause;
    const got = /[[,:\s-](?:NaN|Infinity)[\],}\s]/.test(text)
      ? "NaN or Infinity among its numbers"
      : describeValue(text);
    throw new WireError(`read a frame of Sedna's: expected JSON; got ${got}`, { cause });
  }
}
