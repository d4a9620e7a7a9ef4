import { SednaError } from "@sedna-js/core";
import { canonicalJson, type ModelManifest } from "@sedna-js/core/wire";
import type { StoredVersion, StoreState } from "./store-state.ts";

/** Number of good versions whose files are kept: the current one and the one to roll back to. */
const GOOD_KEPT = 2;

/** Options of {@link acceptManifest}. */
interface AcceptManifestOptions {
  readonly manifest: ModelManifest;
  readonly place: string;
  readonly name?: string | undefined;
}

/**
 * Returns the state after accepting a manifest whose signature is valid.
 *
 * @throws {SednaError} `model-untrusted` if the manifest is of another model, or differs from the known
 * manifest of that version; `model-outdated` if its version is below the highest version seen, which prevents
 * replays.
 */
export function acceptManifest(
  known: StoreState,
  { manifest, place, name = known.name }: AcceptManifestOptions,
): StoreState {
  const { version } = manifest;
  const refuse = (
    expected: string,
    { got, code }: { readonly got: string; readonly code: "model-untrusted" | "model-outdated" },
  ): never => {
    throw new SednaError(`trust the manifest at ${place}: expected ${expected}; got ${got}`, { code });
  };
  if (name !== undefined && manifest.name !== name)
    refuse(`the model ${name}`, { got: manifest.name, code: "model-untrusted" });
  if (version < known.highest)
    refuse(`version ${known.highest} or a later one`, { got: String(version), code: "model-outdated" });
  const same = known.versions.find((one) => one.signed.manifest.version === version);
  if (same && !isAlike(same.signed.manifest, manifest))
    refuse(`version ${version} unchanged`, {
      got: "another manifest of that version",
      code: "model-untrusted",
    });
  return version > known.highest || known.name !== manifest.name
    ? { ...known, name: manifest.name, highest: version }
    : known;
}

/**
 * Returns the state without unneeded versions. Keeps the newest version, the last good ones, those on trial,
 * and `given`, the running one. A bad version is dropped once a newer one exists: it is then below the
 * highest version, and rejected.
 */
export function prune(state: StoreState, given: number | undefined): StoreState {
  const newest = Math.max(...state.versions.map(({ signed }) => signed.manifest.version));
  const good = state.versions
    .filter((one) => one.state === "good")
    .toSorted((a, b) => b.signed.manifest.version - a.signed.manifest.version);
  const goodKept = new Set(good.slice(0, GOOD_KEPT));
  const isKept = (one: StoredVersion): boolean => {
    const { version } = one.signed.manifest;
    return (
      version === newest ||
      goodKept.has(one) ||
      one.state === "trial" ||
      (version === given && one.state === "installed")
    );
  };
  return { ...state, versions: state.versions.filter(isKept) };
}

function isAlike(a: ModelManifest, b: ModelManifest): boolean {
  const [one, other] = [canonicalJson(a), canonicalJson(b)];
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
