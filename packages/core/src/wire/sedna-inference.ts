import { describeValue, WireError } from "../errors.ts";

/** Response of `GET /<name>`: the routes of a big-model server, as Sedna lists them. */
export interface SednaModelInfo {
  readonly infos: readonly { readonly path: string; readonly name: string }[];
}

/** Body of `POST /<name>/predict`. Unknown keys are ignored: Sedna's client sends `post_process` and more. */
export interface SednaPredictRequest {
  /** Nested lists of numbers: one sample, as Sedna's client sends `data.tolist()`. */
  readonly data: readonly unknown[];
  /** Name of a post-processing function on the server. */
  readonly callback?: string | null;
}

/** The response to `predict`. */
export interface SednaPredictResponse {
  readonly result: readonly unknown[];
}

/** One entry of a 422 response, in the words of pydantic 1. */
export interface SednaValidationDetail {
  readonly loc: readonly string[];
  readonly msg: string;
  readonly type: string;
}

/** A request that Sedna's server rejects with 422; `detail` is the body of the response. */
export class SednaValidationError extends WireError {
  readonly detail: readonly SednaValidationDetail[];
  constructor(message: string, detail: readonly SednaValidationDetail[]) {
    super(message);
    this.detail = detail;
  }
}

/**
 * Parses a predict request.
 *
 * @throws {SednaValidationError} If the request is invalid, with the details of Sedna's response.
 */
export function parsePredictRequest(body: unknown): SednaPredictRequest {
  const fail = (loc: readonly string[], msg: string, type: string, got: unknown): never => {
    throw new SednaValidationError(
      `read a predict request: expected ${loc.slice(1).join(".") || "a JSON object"} (${msg}); got ${describeValue(got)}`,
      [{ loc, msg, type }],
    );
  };
  if (body === undefined) return fail(["body"], "field required", "value_error.missing", body);
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return fail(["body"], "value is not a valid dict", "type_error.dict", body);
  const { data, callback } = body as Record<string, unknown>;
  if (data === undefined) return fail(["body", "data"], "field required", "value_error.missing", data);
  if (data === null)
    return fail(["body", "data"], "none is not an allowed value", "type_error.none.not_allowed", data);
  if (!Array.isArray(data))
    return fail(["body", "data"], "value is not a valid list", "type_error.list", data);
  if (callback !== undefined && callback !== null && typeof callback !== "string")
    return fail(["body", "callback"], "str type expected", "type_error.str", callback);
  return callback === undefined ? { data } : { data, callback };
}

/**
 * Parses a predict response.
 *
 * @throws {WireError} If the body is not an object with a list `result`.
 */
export function parsePredictResponse(body: unknown): SednaPredictResponse {
  const result =
    typeof body === "object" && body !== null ? (body as Record<string, unknown>)["result"] : undefined;
  if (!Array.isArray(result))
    throw new WireError(
      `read a predict response: expected { result: [...] }; got ${describeValue(result === undefined ? body : result)}`,
    );
  return { result };
}
