// Messages of secure aggregation, phase by phase. The aggregator sends its messages in the task of kind
// "secure". A client sends its responses as the bodies of POST /secure/<phase>: JSON, except for the masked
// vector, which is an update message with the payload uint32[length], little-endian. Keys, shares and
// signatures are base64.

/** Settings that all clients of a round share. */
export interface SecureSettings {
  /** Number of model parameters. */
  readonly length: number;
  /** Updates are clipped to -clipRange..clipRange. */
  readonly clipRange: number;
  /**
   * Number of steps that the range is divided into. Clients times levels times the maximum weight is below
   * 2^32.
   */
  readonly levels: number;
  /** Maximum weight of a client; 1 gives all clients the same weight. */
  readonly maxWeight: number;
  /** Number of samples per unit of weight. */
  readonly samplesPerWeight: number;
  /** Minimum number of clients in an aggregation. */
  readonly minClients: number;
  /**
   * Differs in each attempt of a round. A client makes new keys for each attempt, because secrets of two
   * attempts with the same keys would reveal each other.
   */
  readonly attempt: number;
}

/** Phase `keys`: the aggregator requests keys. */
export interface SecureKeysTask {
  readonly settings: SecureSettings;
}

/** X25519 public keys of a client for one round. */
export interface SecureKeys {
  /** Key from which pairs of clients derive their masks. */
  readonly maskKey: string;
  /** Key with which pairs of clients encrypt shares for each other. */
  readonly sealKey: string;
  /**
   * Signature of the client's device over both keys, the federation and the round, if the federation requires
   * it.
   */
  readonly signature?: string;
  /** Device that made the signature. */
  readonly device?: string;
}

/**
 * Phase `shares`: the participants. The clients are in ascending order of their `maskKey`; a client's index
 * is its position in this list.
 */
export interface SecureSharesTask {
  readonly settings: SecureSettings;
  readonly clients: readonly SecureKeys[];
}

/** Encrypted shares of a client, one box per neighbor. */
export interface SecureSharesResponse {
  /**
   * SHA-256 of the seed of the client's own mask. It lets the aggregator check that it has reconstructed the
   * seed correctly.
   */
  readonly commitment: string;
  readonly boxes: readonly { readonly to: number; readonly box: string }[];
}

/** Phase `masked`: the clients whose shares were received, and the shares for this client. */
export interface SecureMaskedTask {
  readonly present: readonly number[];
  readonly boxes: readonly { readonly from: number; readonly box: string }[];
}

/**
 * Phase `unmask`: the clients whose vectors were received. For them, the aggregator requests the shares of
 * their own masks; for the dropped clients, the shares of their keys.
 */
export interface SecureUnmaskTask {
  readonly survivors: readonly number[];
  readonly dropped: readonly number[];
}

/** A share of a neighbor's secret. */
export interface SecureShare {
  readonly of: number;
  readonly share: string;
}

/** A share of one secret of each neighbor. */
export interface SecureUnmaskResponse {
  /** For survivors: shares of the seeds of their own masks. */
  readonly seeds: readonly SecureShare[];
  /** For dropped clients: shares of the secrets of their `maskKey`. */
  readonly keys: readonly SecureShare[];
}

/** A client's response in each phase. */
export type SecureAnswer =
  | { readonly phase: "keys"; readonly message: SecureKeys }
  | { readonly phase: "shares"; readonly message: SecureSharesResponse }
  /** The masked vector: one word for each parameter, and one for the weight. */
  | { readonly phase: "masked"; readonly message: Uint32Array<ArrayBuffer> }
  | { readonly phase: "unmask"; readonly message: SecureUnmaskResponse };
