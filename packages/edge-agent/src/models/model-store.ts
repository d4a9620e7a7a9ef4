import type { ModelManifest } from "@sedna-js/core/wire";

/** A model whose manifest was signed by a trusted key and whose files match that manifest. */
export interface VerifiedModel {
  readonly manifest: ModelManifest;
  /**
   * Reads one of the files listed in the manifest and verifies its hash again. The caller owns the returned
   * bytes and may transfer them to a Worker.
   * @throws {SednaError} `model-unreadable` if the file is missing or was changed.
   */
  read(path: string, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>;
}

/** Trust level of an installed version. */
export type VersionState = "installed" | "trial" | "good" | "bad";

/** The models on this device. Returns only verified models, and always keeps the last known good version. */
export interface ModelStore {
  /** Fetches and verifies the newest signed manifest, but not its files. */
  check(options?: { readonly signal?: AbortSignal }): Promise<ModelManifest>;
  /**
   * Fetches and verifies a version, and resumes an earlier attempt. Does not make it the current version.
   * @throws {SednaError} `model-untrusted`, `model-outdated`, `model-unreadable`.
   */
  install(options?: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (bytes: { readonly done: number; readonly total: number }) => void;
  }): Promise<VerifiedModel>;
  /**
   * Returns the version to run at startup: the last known good version, else the newest that is not bad.
   * `undefined` if there is none.
   */
  current(): Promise<VerifiedModel | undefined>;
  /** Returns the last version marked good. */
  lastGood(): Promise<VerifiedModel | undefined>;
  /**
   * Durably records the state of a version. Deletes versions that are neither the newest, one of the last two
   * good ones, on trial, nor running.
   */
  mark(version: number, state: VersionState): Promise<void>;
  versions(): Promise<
    readonly {
      readonly version: number;
      readonly state: VersionState;
      /**
       * How often the version was marked `trial`. A high number reveals a version that crashes the process.
       */ readonly trials: number;
    }[]
  >;
}
