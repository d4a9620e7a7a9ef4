/**
 * The error class of this project. It has a stable `code` and says whether a retry can succeed. Wrong
 * arguments throw builtin errors instead: TypeError for a wrong type or shape, RangeError for a wrong value.
 */
export class SednaError extends Error {
  override readonly name: string = "SednaError";
  /** Stable code in kebab-case; see {@link ErrorCode}. */
  readonly code: ErrorCode;
  /** True if the same call may succeed later. */
  readonly retryable: boolean;
  /** Time to wait before a retry, in ms, if the other side sent one. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: SednaErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Options of {@link SednaError}. */
export interface SednaErrorOptions {
  readonly code: ErrorCode;
  /** True if the same call may succeed later. Default false. */
  readonly retryable?: boolean;
  /** Time to wait before a retry, in ms, if the other side named it. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** All error codes. */
export type ErrorCode =
  | "unknown-algorithm"
  | "wire-format"
  | "model-unreadable"
  | "model-mismatch"
  | "model-untrusted"
  | "model-outdated"
  | "edge-unavailable"
  | "privacy-forbids"
  | "storage-full"
  | "storage-failed"
  | "source-failed"
  | "run-failed"
  | "no-big-model"
  | "cloud-unreachable"
  | "cloud-timeout"
  | "cloud-refused"
  | "cloud-busy"
  | "cloud-garbage"
  | "circuit-open"
  | "cohort-too-small"
  | "update-rejected"
  | "session-ended"
  | "session-replaced"
  | "training-failed"
  | "missing-dependency"
  | "unsupported-platform"
  | "disposed";

/** Thrown by `select` for a name that is not in the table. The message lists the names in the table. */
export class UnknownAlgorithmError extends SednaError {
  override readonly name = "UnknownAlgorithmError";
  constructor(message: string) {
    super(message, { code: "unknown-algorithm" });
  }
}

/** Thrown for bytes or JSON from outside that do not have the expected format: `expected ...; got ...`. */
export class WireError extends SednaError {
  override readonly name = "WireError";
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { code: "wire-format", cause: options.cause });
  }
}

/** An error as plain data, for `postMessage` and for response bodies. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: ErrorCode;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly cause?: PlainError;
}

/** Converts any thrown value to plain data that survives structured clone and JSON. */
export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message } = error;
  const cause = error.cause === undefined ? {} : { cause: toPlainError(error.cause) };
  if (!(error instanceof SednaError)) return { name, message, ...cause };
  const { code, retryable, retryAfterMs } = error;
  return {
    name,
    message,
    code,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...cause,
  };
}

/** Rebuilds an error from the plain data of {@link toPlainError}, with its original class. */
export function fromPlainError({
  name,
  message,
  code,
  retryable,
  retryAfterMs,
  cause: plainCause,
}: PlainError): Error {
  const options = plainCause === undefined ? {} : { cause: fromPlainError(plainCause) };
  if (name === "UnknownAlgorithmError") return new UnknownAlgorithmError(message);
  if (name === "WireError") return new WireError(message, options);
  if (code !== undefined)
    return new SednaError(message, {
      code,
      ...(retryable === undefined ? {} : { retryable }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...options,
    });
  if (name === "TypeError") return new TypeError(message, options);
  if (name === "RangeError") return new RangeError(message, options);
  return Object.assign(new Error(message, options), { name });
}

/** Formats a value for an error message: short, with its type, on one line. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value))
    return `a ${value.constructor.name} of ${(value as unknown as ArrayLike<unknown>).length}`;
  if (typeof value === "string")
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "object") return "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** The message of an error, or the text of any other value that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Imports an optional package.
 * @throws {SednaError} `missing-dependency` If the package is not installed or does not load. The message has
 * the command to install it or the cause.
 */
export async function importOptional<Module>(
  name: string,
  { action, load }: { readonly action: string; readonly load: () => Promise<Module> },
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const why = messageOf(cause);
    const code = (cause as { readonly code?: unknown } | null)?.code;
    if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") {
      throw new SednaError(`${action}: expected the package ${name}; install it with: npm install ${name}`, {
        code: "missing-dependency",
        cause,
      });
    }
    // The package exists but does not load: its native part does not match, or a chunk failed to download.
    throw new SednaError(`${action}: expected the package ${name} to load; got: ${why}`, {
      code: "missing-dependency",
      retryable: true,
      cause,
    });
  }
}
