import * as z from "zod/mini";
import { describeValue, WireError } from "../errors.ts";
import type { TensorSpec } from "../tensor.ts";
import {
  concat,
  datatypeOf,
  type OipDatatype,
  type OipTensor,
  parameters,
  readTensors,
  text,
  wireTensor,
  writeTensors,
} from "./open-inference-tensors.ts";

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

const requestHeader = z.object(
  {
    id: z.optional(text),
    parameters,
    inputs: z.array(wireTensor, "a list of tensors").check(z.minLength(1, "a list of at least one tensor")),
    outputs: z.optional(z.array(z.object({ name: text, parameters }, "an output"), "a list of outputs")),
  },
  "a JSON object",
);

const responseHeader = z.object(
  {
    id: z.optional(text),
    model_name: text,
    model_version: z.optional(text),
    parameters,
    outputs: z.array(wireTensor, "a list of tensors"),
  },
  "a JSON object",
);

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
  const { header, binary } = splitBody(bytes, {
    headerLength,
    schema: requestHeader,
    what: "an infer request",
  });
  return {
    ...(header.id === undefined ? {} : { id: header.id }),
    inputs: readTensors(header.inputs, binary),
    outputs: (header.outputs ?? []).map(({ name, parameters: { binary_data: binary } = {} }) =>
      typeof binary === "boolean" ? { name, binary } : { name },
    ),
    binaryOutputs: header.parameters?.["binary_data_output"] === true,
  };
}

/**
 * Parses an infer response.
 *
 * @throws {WireError} If the body is not an infer response.
 */
export function parseInferResponse(bytes: Uint8Array, headerLength?: number): OipInferResponse {
  const { header, binary } = splitBody(bytes, {
    headerLength,
    schema: responseHeader,
    what: "an infer response",
  });
  return {
    modelName: header.model_name,
    ...(header.model_version === undefined ? {} : { modelVersion: header.model_version }),
    ...(header.id === undefined ? {} : { id: header.id }),
    outputs: readTensors(header.outputs, binary),
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

/** Options of {@link splitBody}. */
interface SplitBodyOptions<Header> {
  readonly headerLength?: number;
  readonly schema: z.ZodMiniType<Header>;
  readonly what: string;
}

function splitBody<Header>(
  bytes: Uint8Array,
  { headerLength = bytes.length, schema, what }: SplitBodyOptions<Header>,
): { header: Header; binary: Uint8Array } {
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
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path ?? [];
    const found = path.reduce<unknown>(
      (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
      json,
    );
    throw new WireError(
      `read ${what}: expected ${path.join(".") || "the body"} as ${issue?.message}; got ${describeValue(found)}`,
    );
  }
  return { header: parsed.data, binary: bytes.subarray(headerLength) };
}

function joinBody(header: unknown, chunks: readonly Uint8Array[]): OipBody {
  const json = new TextEncoder().encode(JSON.stringify(header));
  return chunks.length === 0
    ? { body: json }
    : { body: concat([json, ...chunks]), headerLength: json.length };
}
