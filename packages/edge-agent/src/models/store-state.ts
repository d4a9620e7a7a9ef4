import { WireError } from "@sedna-js/core";
import {
  parseSignedKeySet,
  parseSignedManifest,
  type SignedKeySet,
  type SignedManifest,
} from "@sedna-js/core/wire";
import { sha256 } from "#platform/storage";
import type { VersionState } from "./model-store.ts";

/** The record of a version. */
export interface StoredVersion {
  readonly state: VersionState;
  /** How often the version was marked `trial`. */
  readonly trials: number;
  /** The manifest, kept as long as its files. */
  readonly signed: SignedManifest;
}

/** The state of a model store besides its files. */
export interface StoreState {
  /** Name of the model, set by the first manifest. */
  readonly name?: string;
  /** Highest version ever seen. */
  readonly highest: number;
  /** The newest accepted key set. Without one, the pinned keys are version 0. */
  readonly keySet?: SignedKeySet;
  readonly versions: readonly StoredVersion[];
}

const states: readonly VersionState[] = ["installed", "trial", "good", "bad"];
const HEAD = "sedna-store/1 ";

/**
 * Serializes the state as a line with a hash, followed by JSON. Without the hash, a flipped bit in a
 * manifest's options could still be valid JSON.
 */
export function writeStoreState(state: StoreState): Uint8Array<ArrayBuffer> {
  const json = JSON.stringify(state);
  return new TextEncoder().encode(`${HEAD}${hashOf(json)}\n${json}`);
}

/**
 * Parses the output of {@link writeStoreState}.
 * @throws {WireError} If the file is damaged. Its manifests are parsed like untrusted input.
 */
export function readStoreState(bytes: Uint8Array): StoreState {
  let given: Record<string, unknown>;
  try {
    const [head = "", json = ""] = new TextDecoder("utf-8", { fatal: true }).decode(bytes).split(/\n([^]*)/);
    if (head !== `${HEAD}${hashOf(json)}`)
      throw new WireError(
        "read the store's state: expected the hash of the following text; got another hash",
      );
    given = JSON.parse(json) as Record<string, unknown>;
  } catch (cause) {
    throw cause instanceof WireError
      ? cause
      : new WireError(`read the store's state: expected text and JSON; got ${bytes.length} other bytes`, {
          cause,
        });
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
      "read the store's state: expected a name, the highest version and versions; got other fields",
    );
  return {
    ...(name === undefined ? {} : { name }),
    highest: highest as number,
    ...(keySet === undefined ? {} : { keySet: parseSignedKeySet(bytesOf(keySet)) }),
    versions: versions.map((version: Partial<Record<keyof StoredVersion, unknown>> | null) => {
      const { state, trials, signed } = version ?? {};
      if (!states.includes(state as VersionState) || !Number.isSafeInteger(trials))
        throw new WireError(
          "read the store's state: expected a version's state and trials; got other fields",
        );
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
