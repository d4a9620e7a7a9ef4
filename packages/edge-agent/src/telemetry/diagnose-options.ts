import type { ModelManifest } from "@sedna-js/core/wire";

/** A server that the job uses. */
export interface DiagnosedServer {
  readonly url: string | URL;
  readonly token?: string;
}

/** Options of {@link diagnose}. Options that are not set are not checked. */
export interface DiagnoseOptions {
  readonly bigModel?: DiagnosedServer & {
    readonly protocol?: "sedna" | "oip";
    /** Name of the model on the server. Default `sedna`. */ readonly model?: string;
  };
  readonly samples?: DiagnosedServer;
  readonly localController?: { readonly url: string | URL };
  /** Fetches the model's manifest and verifies its signature, such as a `ModelStore`. */
  readonly model?: {
    check(options: { readonly signal: AbortSignal }): Promise<Pick<ModelManifest, "name" | "version">>;
  };
  /** Node: path of a model file without a signature. */
  readonly modelFile?: string;
  /** Node: the job's data directory. */
  readonly directory?: string;
  /** Node: whether the job's source needs `ffmpeg`. Default false. */
  readonly needsFfmpeg?: boolean;
  /** Timeout of a server, in ms. Default 5000. */
  readonly deadlineMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Wall clock: unix time in ms. */
  readonly wallNow?: () => number;
}
