import type { ModelManifest } from "@sedna-js/core/wire";

/** A model whose manifest was signed by a trusted key and whose files are what it promises. */
export interface VerifiedModel {
  readonly manifest: ModelManifest;
  /**
   * One of the files that the manifest lists, its hash checked once more on the way. The bytes are the
   * caller's own, who may hand them over to a Worker.
   * @throws {SednaError} `model-unreadable` when it is gone or was changed meanwhile.
   */
  read(path: string, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>;
}

/** How far an edge trusts a version that it has. */
export type VersionState = "installed" | "trial" | "good" | "bad";

/** Models on this device: nothing unverified is ever given out, and the last good version is always kept. */
export interface ModelStore {
  /** The newest signed manifest at its place, verified, its files not fetched. */
  check(options?: { readonly signal?: AbortSignal }): Promise<ModelManifest>;
  /**
   * Fetches and verifies a version, resuming what an earlier try has left. Does not make it the current one.
   * @throws {SednaError} `model-untrusted`, `model-outdated`, `model-unreadable`.
   */
  install(options?: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (bytes: { readonly done: number; readonly total: number }) => void;
  }): Promise<VerifiedModel>;
  /**
   * What to run at start: the last good version, else the newest that is not bad; undefined where there is
   * none.
   */
  current(): Promise<VerifiedModel | undefined>;
  /** The last version that was marked good. */
  lastGood(): Promise<VerifiedModel | undefined>;
  /**
   * Remembers, durably, what became of a version. Versions that are neither good nor newest lose their files.
   */
  mark(version: number, state: VersionState): Promise<void>;
  versions(): Promise<
    readonly {
      readonly version: number;
      readonly state: VersionState;
      /**
       * How often it was marked `trial`: a version that ends the process in each of them is found by that.
       */ readonly trials: number;
    }[]
  >;
}
