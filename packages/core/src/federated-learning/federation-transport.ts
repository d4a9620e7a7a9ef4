import type {
  FederationTask,
  SecurePhase,
  SessionGrant,
  SessionRequest,
  UpdateReceipt,
  UpdateRejection,
} from "../wire/federation.ts";

/**
 * Connects a client to the aggregator of its federation. Adapters: HTTP with a WebSocket or with polling;
 * HTTP for control and S3 for weights.
 *
 * Every method except `leave` may throw a {@link SednaError}: `session-ended` if the session is over and the
 * client can join again; `session-replaced` if another client of this device has replaced the session; other
 * errors are `retryable` if the same call may succeed later.
 */
export interface FederationTransport {
  /**
   * Requests a session, also after the previous one ended.
   *
   * @throws {SednaError} `cloud-refused`, `cloud-unreachable`, ...
   */
  join(
    request: Omit<SessionRequest, "proof">,
    options: { readonly signal: AbortSignal },
  ): Promise<SessionGrant>;
  /**
   * Yields the task whenever it changes. Reconnects automatically; ends only on its signal or on an error
   * that a retry cannot fix.
   */
  tasks(options: { readonly signal: AbortSignal }): AsyncIterable<FederationTask>;
  /**
   * Fetches the flat parameters of a model and checks their length and hash. Resumes an interrupted download.
   */
  fetchModel(
    version: number,
    options: { readonly length: number; readonly signal: AbortSignal },
  ): Promise<Float32Array>;
  /**
   * Sends the message of an update. Resumes an interrupted upload. An update that is sent twice is accepted
   * once. A rejection is returned, not thrown.
   */
  sendUpdate(
    message: Uint8Array,
    options: { readonly round: number; readonly signal: AbortSignal },
  ): Promise<UpdateReceipt | UpdateRejection>;
  /**
   * Sends a response of the secure aggregation, as `writeSecureResponse` encodes it. A response that is sent
   * twice is accepted once. A rejection is returned, not thrown.
   */
  sendSecure(
    phase: SecurePhase,
    options: {
      readonly round: number;
      readonly message: Uint8Array<ArrayBuffer>;
      readonly signal: AbortSignal;
    },
  ): Promise<UpdateReceipt | UpdateRejection>;
  /** Ends the session, if any. Never rejects, and does not wait long. */
  leave(): Promise<void>;
}
