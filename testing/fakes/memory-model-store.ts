// A model store in memory, for tests of code that reads models from a store. Its content survives a simulated
// restart: the second "start" gets the same store.
import { SednaError } from "@sedna-js/core";
import type {
  ModelStore,
  VerifiedModel,
  VersionState,
} from "../../packages/edge-agent/src/models/model-store.ts";

/** A store with a function that publishes to it. */
export interface MemoryModelStore extends ModelStore {
  /** Makes a model the latest version. */
  publish(model: VerifiedModel): void;
  /** All marks in order, such as `"3 good"`. */
  readonly marks: readonly string[];
  /** An error set here makes the next call of that method fail once. */
  readonly failures: Partial<Record<"check" | "install" | "mark", Error>>;
}

/** Creates a store with its first version, which is marked good. */
export function memoryModelStore(first: VerifiedModel): MemoryModelStore {
  const models = new Map([[first.manifest.version, first]]);
  const states = new Map<number, { state: VersionState; trials: number }>([
    [first.manifest.version, { state: "good", trials: 0 }],
  ]);
  const marks: string[] = [];
  const failures: MemoryModelStore["failures"] = {};
  let newest = first;
  const failOnce = (name: keyof MemoryModelStore["failures"]): void => {
    const failure = failures[name];
    delete failures[name];
    if (failure) throw failure;
  };
  const latest = (wanted: (state: VersionState) => boolean): VerifiedModel | undefined => {
    const version = [...states]
      .filter(([, { state }]) => wanted(state))
      .map(([one]) => one)
      .toSorted((a, b) => b - a)[0];
    return version === undefined ? undefined : models.get(version);
  };

  return {
    marks,
    failures,
    publish: (model) => void (newest = model),
    async check({ signal } = {}) {
      signal?.throwIfAborted();
      failOnce("check");
      return newest.manifest;
    },
    async install({ signal } = {}) {
      signal?.throwIfAborted();
      failOnce("install");
      const { version } = newest.manifest;
      models.set(version, newest);
      if (!states.has(version)) states.set(version, { state: "installed", trials: 0 });
      return newest;
    },
    current: async () => latest((state) => state === "good") ?? latest((state) => state !== "bad"),
    lastGood: async () => latest((state) => state === "good"),
    async mark(version, state) {
      failOnce("mark");
      const known = states.get(version);
      if (!known)
        throw new SednaError(
          `mark ${version}: expected an installed version; got one that is not installed`,
          {
            code: "model-unreadable",
          },
        );
      states.set(version, { state, trials: known.trials + (state === "trial" ? 1 : 0) });
      marks.push(`${version} ${state}`);
    },
    versions: async () => [...states].map(([version, { state, trials }]) => ({ version, state, trials })),
  };
}
