import { describeValue, WireError } from "../errors.ts";
import type { LayerSpec } from "../training/training-plan.ts";
import { countLists, nestedJson, readNested } from "./nested-weights.ts";
import { checkParts, fieldsOf, type Fields } from "./read-fields.ts";

// Sedna's aggregation protocol V1: one JSON object per WebSocket frame. Source: Sedna's
// lib/sedna/service/server/aggregation.py and service/client.py, as captured. Unlike Python, this parser does
// not accept any number, text or NaN.

/** A frame from one of Sedna's clients. */
export type SednaAggregationMessage =
  | {
      readonly type: "subscribe";
      /** ID of the client. If it is missing, Sedna's server invents one that the client never learns. */
      readonly clientId: string | undefined;
    }
  | {
      readonly type: "update_weight";
      readonly client: string | undefined;
      readonly numSamples: number;
      /** All layers concatenated, row-major: whole weights, not updates. */
      readonly weights: Float64Array;
      /** Sent back unchanged. */
      readonly jobName: string | null | undefined;
    }
  /**
   * Sedna's server relays any other frame to all clients, without reading it. A server of several
   * federations sends no response.
   */
  | { readonly type: "other"; readonly name: string };

/** Input of {@link writeSednaRecvWeight}. */
export interface SednaRecvWeight {
  /**
   * Sedna's server sends a modified copy of the last sender's frame: `client` and `jobName` are those of that
   * sender.
   */
  readonly client: string | undefined;
  readonly jobName: string | null | undefined;
  readonly totalSample: number;
  /** Number of closed rounds; 1 for the first. */
  readonly roundNumber: number;
  /** The flat weights of the new model. */
  readonly weights: Float32Array | Float64Array;
  /** `ok` if this was the last round. */
  readonly exitFlag: "ok" | "continue";
}

/** Maximum size of a frame that Sedna's client accepts, in bytes. */
export const SEDNA_MAX_FRAME_BYTES = 16 * 2 ** 20;

/** Maximum number of lists and objects besides the weights. */
const OTHER_PARTS = 10_000;

/**
 * Parses a frame from one of Sedna's clients. The weights must have the layers of the layout, in its order
 * and with its shapes.
 *
 * @throws {WireError} If the frame is not a JSON object, contains a number that is not finite (Python writes
 * NaN and Infinity, which are not JSON), or is an update_weight with other shapes or without an integer
 * number of samples.
 */
export function parseSednaAggregationMessage(
  frame: string | Uint8Array,
  {
    layout,
    maxBytes = SEDNA_MAX_FRAME_BYTES,
  }: { readonly layout: readonly LayerSpec[]; readonly maxBytes?: number },
): SednaAggregationMessage {
  const message = fieldsOf(
    parseFrame(frame, { maxBytes, maxParts: countLists(layout) + OTHER_PARTS }),
    "a Sedna frame",
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
    weights: readNested(data.value("weights"), { layout, where: "a Sedna frame.data.weights" }),
    jobName: readJobName(message),
  };
}

/**
 * Writes the frame that a client sends first, and that a server then sends to all clients; it tells the new
 * client that it has joined.
 */
export function writeSednaSubscribe(clientId: string | undefined): string {
  return JSON.stringify({ type: "subscribe", client_id: clientId });
}

/** Writes the frame that a server sends to the clients that joined earlier. */
export function writeSednaClientJoin(clientId: string): string {
  return JSON.stringify({ type: "CLIENT_JOIN", data: clientId });
}

/**
 * Writes the frame that a server sends to all clients when a round has closed. Numbers are written as Python
 * writes floats: Python reads a number without a point as an int, and an array of ints has another type.
 *
 * @throws {RangeError} If a number is not finite.
 * @throws {TypeError} If the number of weights does not match the layout.
 */
export function writeSednaRecvWeight(
  { client, jobName, totalSample, roundNumber, weights, exitFlag }: SednaRecvWeight,
  { layout }: { readonly layout: readonly LayerSpec[] },
): string {
  const start = `{"type":"recv_weight"${field("client", client)},"data":{"total_sample":${totalSample},"round_number":${roundNumber},"weights":`;
  return `${start}${nestedJson(weights, layout)},"exit_flag":"${exitFlag}"}${field("job_name", jobName)},"round_number":${roundNumber}}`;
}

/** Options of {@link writeSednaUpdateWeight}. */
interface WriteSednaUpdateWeightOptions {
  readonly client: string;
  readonly jobName: string | null;
  readonly numSamples: number;
  readonly weights: Float32Array | Float64Array;
}

/** Writes the frame that a client sends after training; for tools and tests that replace Sedna's client. */
export function writeSednaUpdateWeight(
  { client, jobName, numSamples, weights }: WriteSednaUpdateWeightOptions,
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
    throw new WireError(`read a Sedna frame: expected at most ${maxBytes} bytes; got ${frame.length}`);
  let text = "";
  try {
    text = typeof frame === "string" ? frame : new TextDecoder("utf-8", { fatal: true }).decode(frame);
    checkParts(text, { what: "a Sedna frame", most: maxParts });
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof WireError) throw cause;
    const got = /[[,:\s-](?:NaN|Infinity)[\],}\s]/.test(text)
      ? "NaN or Infinity among its numbers"
      : describeValue(text);
    throw new WireError(`read a Sedna frame: expected JSON; got ${got}`, { cause });
  }
}
