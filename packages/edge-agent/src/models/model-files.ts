import { SednaError } from "@sedna-js/core";
import { onnxReferences } from "@sedna-js/core/wire";
import type { StoredVersion, StoreState } from "./store-state.ts";

/** The version number of a stored version. */
export function versionOf({ signed }: StoredVersion): number {
  return signed.manifest.version;
}

/**
 * Returns the files that an ONNX model refers to. @throws {SednaError} `model-mismatch` if the file is not an
 * ONNX model.
 */
export function references(file: Uint8Array, expected: string): string[] {
  try {
    return onnxReferences(file);
  } catch (cause) {
    throw new SednaError(`${expected}; got ${file.length} bytes that are not ONNX`, {
      code: "model-mismatch",
      cause,
    });
  }
}

/** True if a version was marked as bad. */
export function isBad({ versions }: StoreState, version: number): boolean {
  return versions.some((one) => one.state === "bad" && versionOf(one) === version);
}
