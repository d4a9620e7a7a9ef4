import type { ModelManifest } from "@sedna-js/core/wire";
import { platformChecks } from "#platform/telemetry";
import type { HealthCheck } from "./health-check.ts";
import { serverChecks } from "./server-checks.ts";

/** A server that the job needs. */
export interface DiagnosedServer {
  readonly url: string | URL;
  readonly token?: string;
}

/** Options of {@link diagnose}; what is not given is not asked. */
export interface DiagnoseOptions {
  readonly bigModel?: DiagnosedServer & {
    readonly protocol?: "sedna" | "oip";
    /** Its name there. Default `sedna`. */ readonly model?: string;
  };
  readonly samples?: DiagnosedServer;
  readonly localController?: { readonly url: string | URL };
  /** Fetches the model's manifest and verifies its signature; a `ModelStore` fits. */
  readonly model?: {
    check(options: { readonly signal: AbortSignal }): Promise<Pick<ModelManifest, "name" | "version">>;
  };
  /** Node: a model's file without a signature. */
  readonly modelFile?: string;
  /** Node: where the job keeps its data. */
  readonly directory?: string;
  /** Node: the job's source needs `ffmpeg`. Default false. */
  readonly needsFfmpeg?: boolean;
  /** How long a server may take, in ms. Default 5000. */
  readonly deadlineMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Unix ms. */
  readonly wallNow?: () => number;
}

/**
 * Looks at what an agent needs: the platform's runtime, graphics, storage and memory, the servers, the clock, the model's
 * signature. Changes nothing that stays, and never rejects: what cannot be found out is a check that failed.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<readonly HealthCheck[]> {
  const [platform, servers] = await Promise.all([platformChecks(options), serverChecks(options)]);
  return [...platform, ...servers];
}
