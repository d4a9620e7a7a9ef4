import { parseSignedKeySet, parseSignedManifest, WireError, type SignedKeySet, type SignedManifest } from "@sedna-js/core";
import type { VersionState } from "./model-store.ts";

/** What is remembered of a version. */
export interface StoredVersion {
  readonly state: VersionState;
  /** How often it was marked `trial`. */
  readonly trials: number;
  /** Kept while its files are. */
  readonly signed: SignedManifest;
}

/** What a model store remembers beside its files. */
export interface StoreState {
  /** The model's name, from the first manifest on. */
  readonly name?: string;
  /** Highest version that was ever seen. */
  readonly highest: number;
  /** The newest set of keys that was taken; without one the pinned keys are version 0. */
  readonly keySet?: SignedKeySet;
  readonly versions: readonly StoredVersion[];
}

const states: readonly VersionState[] = ["installed", "trial", "good", "bad"];

/** The state as JSON. */
export function writeStoreState(state: StoreState): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ format: "sedna-store/1", ...state }));
}

/**
 * The state from its JSON.
 * @throws {WireError} on a file that was damaged: manifests in it are parsed as if they came from outside.
 */
export function readStoreState(bytes: Uint8Array): StoreState {
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Record<string, unknown>;
  } catch (cause) {
    throw new WireError(`read the store's state: expected JSON; got ${bytes.length} bytes that are not`, { cause });
  }
  const { format, name, highest, keySet, versions } = given ?? {};
  const good = format === "sedna-store/1" && (name === undefined || typeof name === "string") && Number.isSafeInteger(highest) && Array.isArray(versions);
  if (!good) throw new WireError("read the store's state: expected format sedna-store/1; got another");
  return {
    ...(name === undefined ? {} : { name: name as string }),
    highest: highest as number,
    ...(keySet === undefined ? {} : { keySet: parseSignedKeySet(bytesOf(keySet)) }),
    versions: versions.map((version: Partial<Record<keyof StoredVersion, unknown>> | null) => {
      const { state, trials, signed } = version ?? {};
      if (!states.includes(state as VersionState) || !Number.isSafeInteger(trials)) throw new WireError("read the store's state: expected a version's state and trials; got others");
      return { state: state as VersionState, trials: trials as number, signed: parseSignedManifest(bytesOf(signed)) };
    }),
  };
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value) ?? "");
}
