import { WireError } from "@sedna-js/core";
import {
  parseSignedKeySet,
  parseSignedManifest,
  type SignedKeySet,
  type SignedManifest,
} from "@sedna-js/core/wire";
import { sha256 } from "#platform/storage";
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
const HEAD = "sedna-store/1 ";

/**
 * The state as a line with the hash of the rest, and JSON: a flipped bit in a manifest's options would be
 * JSON too.
 */
export function writeStoreState(state: StoreState): Uint8Array<ArrayBuffer> {
  const json = JSON.stringify(state);
  return new TextEncoder().encode(`${HEAD}${hashOf(json)}\n${json}`);
}

/**
 * The state from what {@link writeStoreState} gave.
 * @throws {WireError} on a file that was damaged: manifests in it are parsed as if they came from outside.
 */
export function readStoreState(bytes: Uint8Array): StoreState {
  let given: Record<string, unknown>;
  try {
    const [head = "", json = ""] = new TextDecoder("utf-8", { fatal: true }).decode(bytes).split(/\n([^]*)/);
    if (head !== `${HEAD}${hashOf(json)}`)
      throw new WireError("read the store's state: expected the hash of what follows; got another");
    given = JSON.parse(json) as Record<string, unknown>;
  } catch (cause) {
    throw cause instanceof WireError
      ? cause
      : new WireError(
          `read the store's state: expected text and JSON; got ${bytes.length} bytes that are not`,
          { cause },
        );
  }
  const { name, highest, keySet, versions } = given ?? {};
  if (
    !(
      (name === undefined || typeof name === "string") &&
      Number.isSafeInteger(highest) &&
      Array.isArray(versions)
    )
  )
    throw new WireError(
      "read the store's state: expected a name, the highest version and versions; got others",
    );
  return {
    ...(name === undefined ? {} : { name }),
    highest: highest as number,
    ...(keySet === undefined ? {} : { keySet: parseSignedKeySet(bytesOf(keySet)) }),
    versions: versions.map((version: Partial<Record<keyof StoredVersion, unknown>> | null) => {
      const { state, trials, signed } = version ?? {};
      if (!states.includes(state as VersionState) || !Number.isSafeInteger(trials))
        throw new WireError("read the store's state: expected a version's state and trials; got others");
      return {
        state: state as VersionState,
        trials: trials as number,
        signed: parseSignedManifest(bytesOf(signed)),
      };
    }),
  };
}

function hashOf(text: string): string {
  const hash = sha256();
  hash.update(new TextEncoder().encode(text));
  return hash.hex();
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value) ?? "");
}
