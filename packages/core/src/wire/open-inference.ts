import { WireError } from "../errors.ts";
import type { TensorSpec } from "../tensor.ts";
import {
  concat,
  datatypeOf,
  type OipDatatype,
  type OipTensor,
  readParameter,
  readTensors,
  readWireTensor,
  writeTensors,
} from "./open-inference-tensors.ts";
import { anyText, type Fields, fieldsOf } from "./read-fields.ts";

// The Open Inference Protocol, version 2, over HTTP. Source: kserve/open-inference-protocol, and for the
// binary extension the Triton Inference Server's "Binary tensor data extension".

/** Header with the number of bytes of JSON in a binary body. */
export const INFERENCE_HEADER_LENGTH = "inference-header-content-length";

/** The request of `POST /v2/models/<name>/infer`. */
export interface OipInferRequest {
  readonly id?: string;
  readonly inputs: Readonly<Record<string, OipTensor>>;
  /** Requested outputs; empty means all. */
  readonly outputs: readonly { readonly name: string; readonly binary?: boolean }[];
  /** Whether to send outputs without `binary` in binary. */
  readonly binaryOutputs: boolean;
}

/** The response to `infer`. */
export interface OipInferResponse {
  readonly modelName: string;
  readonly modelVersion?: string;
  readonly id?: string;
  readonly outputs: Readonly<Record<string, OipTensor>>;
}

/** A body and its header length: JSON only, or JSON followed by the binary tensors. */
export interface OipBody {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Number of bytes of JSON at the start of `body`; `undefined` if the whole body is JSON. */
  readonly headerLength?: number;
}

/** Converts the inputs or outputs of a model to the form of `metadata`. */
export function toOipMetadata(
  specs: readonly (
    | TensorSpec
    | { readonly name: string; readonly dtype: "bytes"; readonly shape: readonly number[] }
  )[],
): { name: string; datatype: OipDatatype; shape: readonly number[] }[] {
  return specs.map(({ name, dtype, shape }) => ({
    name,
    datatype: dtype === "bytes" ? "BYTES" : datatypeOf[dtype],
    shape,
  }));
}

/**
 * Parses an infer request.
 *
 * @throws {WireError} If the body is not an infer request.
 */
export function parseInferRequest(bytes: Uint8Array, headerLength?: number): OipInferRequest {
  const { header, binary } = splitBody(bytes, { headerLength, what: "an infer request" });
  const inputs = header.list("inputs", { least: 1, read: readWireTensor });
  return {
    ...(header.has("id") && { id: header.text("id", anyText) }),
    inputs: readTensors(inputs, binary),
    outputs: header.has("outputs") ? header.list("outputs", { read: readOutput }) : [],
    binaryOutputs: readParameter(header, "binary_data_output") === true,
  };
}

function readOutput(value: unknown, where: string): OipInferRequest["outputs"][number] {
  const fields = fieldsOf(value, where);
  const name = fields.text("name", anyText);
  const binary = readParameter(fields, "binary_data");
  return typeof binary === "boolean" ? { name, binary } : { name };
}

/**
 * Parses an infer response.
 *
 * @throws {WireError} If the body is not an infer response.
 */
export function parseInferResponse(bytes: Uint8Array, headerLength?: number): OipInferResponse {
  const { header, binary } = splitBody(bytes, { headerLength, what: "an infer response" });
  return {
    modelName: header.text("model_name", anyText),
    ...(header.has("model_version") && { modelVersion: header.text("model_version", anyText) }),
    ...(header.has("id") && { id: header.text("id", anyText) }),
    outputs: readTensors(header.list("outputs", { read: readWireTensor }), binary),
  };
}

/** Formats an infer request with all its tensors in binary, which requests binary outputs. */
export function formatInferRequest({
  id,
  inputs,
}: {
  readonly id?: string;
  readonly inputs: Readonly<Record<string, OipTensor>>;
}): OipBody {
  const { wire, chunks } = writeTensors(inputs, () => true);
  return joinBody(
    { ...(id === undefined ? {} : { id }), parameters: { binary_data_output: true }, inputs: wire },
    chunks,
  );
}

/** Formats an infer response. `binary` returns whether to write an output in binary. */
export function formatInferResponse(response: OipInferResponse, binary: (name: string) => boolean): OipBody {
  const { wire, chunks } = writeTensors(response.outputs, binary);
  const { modelName, modelVersion, id } = response;
  return joinBody(
    {
      ...(id === undefined ? {} : { id }),
      model_name: modelName,
      ...(modelVersion === undefined ? {} : { model_version: modelVersion }),
      outputs: wire,
    },
    chunks,
  );
}

function splitBody(
  bytes: Uint8Array,
  { headerLength = bytes.length, what }: { readonly headerLength?: number; readonly what: string },
): { readonly header: Fields; readonly binary: Uint8Array } {
  if (!Number.isInteger(headerLength) || headerLength < 0 || headerLength > bytes.length) {
    throw new WireError(
      `read ${what}: expected a header of at most ${bytes.length} bytes; got a length of ${headerLength}`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, headerLength)));
  } catch (cause) {
    throw new WireError(`read ${what}: expected JSON; got ${headerLength} bytes that are not`, { cause });
  }
  return { header: fieldsOf(json, what), binary: bytes.subarray(headerLength) };
}

function joinBody(header: unknown, chunks: readonly Uint8Array[]): OipBody {
  const json = new TextEncoder().encode(JSON.stringify(header));
  return chunks.length === 0
    ? { body: json }
    : { body: concat([json, ...chunks]), headerLength: json.length };
}
