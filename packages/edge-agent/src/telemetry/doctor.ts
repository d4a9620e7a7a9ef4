import type { ModelManifest } from "@sedna-js/core/wire";
import { platformChecks } from "#platform/telemetry";
import type { HealthCheck } from "./health-check.ts";
import { serverChecks } from "./server-checks.ts";

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

/**
 * Checks what an agent needs: the platform's runtime, graphics, storage, and memory, the servers, the clock,
 * and the model's signature. Leaves nothing changed. Never rejects: a check that throws is reported as
 * failed.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<readonly HealthCheck[]> {
  const [platform, servers] = await Promise.all([platformChecks(options), serverChecks(options)]);
  return [...platform, ...servers];
}
