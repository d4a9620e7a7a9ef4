import type { FederationTask, SecurePhase, SessionGrant, SessionRequest, UpdateReceipt } from "../wire/federation.ts";

/** How a client reaches its federation's aggregator. Adapters: HTTP with a WebSocket or with polling; HTTP for control and S3 for weights. */
export interface FederationTransport {
  /** Asks for a session, again when it ended. @throws {SednaError} `cloud-refused`, `cloud-unreachable`, ... */
  join(request: Omit<SessionRequest, "proof">, options: { readonly signal: AbortSignal }): Promise<SessionGrant>;
  /** The task whenever it changes; connects again by itself, and ends only by its signal, or an error that trying again cannot heal. */
  tasks(options: { readonly signal: AbortSignal }): AsyncIterable<FederationTask>;
  /** The model's flat parameters, length and hash checked; resumes what broke off. */
  fetchModel(version: number, options: { readonly length: number; readonly signal: AbortSignal }): Promise<Float32Array>;
  /** Sends an update's message; resumes what broke off. @throws {SednaError} `update-refused` with what the aggregator said. */
  sendUpdate(message: Uint8Array, options: { readonly round: number; readonly signal: AbortSignal }): Promise<UpdateReceipt>;
  /** Sends a message of the secure sum. */
  sendSecure(phase: SecurePhase, options: { readonly round: number; readonly message: unknown; readonly signal: AbortSignal }): Promise<void>;
  leave(): Promise<void>;
}
