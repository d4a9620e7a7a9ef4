import { SednaError } from "@sedna-js/core";
import { canonicalJson, type ModelManifest } from "@sedna-js/core/wire";
import type { StoredVersion, StoreState } from "./store-state.ts";

/** Good versions whose files are kept: the one to run, and the one to go back to. */
const GOOD_KEPT = 2;

/** Options of {@link acceptManifest}. */
interface AcceptManifestOptions {
  readonly manifest: ModelManifest;
  readonly place: string;
  readonly name?: string | undefined;
}

/**
 * The state that has seen a manifest whose signature holds.
 *
 * @throws {SednaError} `model-untrusted` on another model, and on another manifest under a version that is
 * known; `model-outdated` below the highest version that was seen, so that nobody can replay an old one.
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
    refuse(`version ${version} as it was`, { got: "another under the same number", code: "model-untrusted" });
  return version > known.highest || known.name !== manifest.name
    ? { ...known, name: manifest.name, highest: version }
    : known;
}

/**
 * The state without what nobody needs: kept are the newest version, the last good ones, what is on trial, and
 * `given`, the one that runs. Of a bad one nothing is kept once a newer one is there: it is below the highest
 * then, and refused as such.
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
