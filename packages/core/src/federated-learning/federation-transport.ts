import type {
  FederationTask,
  SecurePhase,
  SessionGrant,
  SessionRequest,
  UpdateReceipt,
  UpdateRejection,
} from "../wire/federation.ts";

/**
 * How a client reaches its federation's aggregator. Adapters: HTTP with a WebSocket or with polling; HTTP for control and
 * S3 for weights.
 *
 * Every call may throw a {@link SednaError}: `session-ended` when the session is over, so that joining again heals it;
 * `session-replaced` when another one of this device has taken its place; others with `retryable` where the same call
 * may succeed later.
 */
export interface FederationTransport {
  /** Asks for a session, again when it ended. @throws {SednaError} `cloud-refused`, `cloud-unreachable`, ... */
  join(
    request: Omit<SessionRequest, "proof">,
    options: { readonly signal: AbortSignal },
  ): Promise<SessionGrant>;
  /** The task whenever it changes; connects again by itself, and ends only by its signal, or an error that trying again cannot heal. */
  tasks(options: { readonly signal: AbortSignal }): AsyncIterable<FederationTask>;
  /** The model's flat parameters, length and hash checked; resumes what broke off. */
  fetchModel(
    version: number,
    options: { readonly length: number; readonly signal: AbortSignal },
  ): Promise<Float32Array>;
  /** Sends an update's message; resumes what broke off. Sending the same one twice counts once. What the aggregator refuses is an answer, not an error. */
  sendUpdate(
    message: Uint8Array,
    options: { readonly round: number; readonly signal: AbortSignal },
  ): Promise<UpdateReceipt | UpdateRejection>;
  /** Sends an answer of the secure sum, as `writeSecureAnswer` gives it. Sending the same one twice counts once. What the aggregator refuses is an answer, not an error. */
  sendSecure(
    phase: SecurePhase,
    options: {
      readonly round: number;
      readonly message: Uint8Array<ArrayBuffer>;
      readonly signal: AbortSignal;
    },
  ): Promise<UpdateReceipt | UpdateRejection>;
  /** Ends the session, if there is one; rejects never, and waits not long. */
  leave(): Promise<void>;
}
