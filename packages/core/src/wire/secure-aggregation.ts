// What a secure sum says, phase by phase. An aggregator's messages travel in the task of kind "secure"; a client's answers
// are the bodies of POST /secure/<phase>: JSON, but for the masked vector, which is an update's message whose payload is
// uint32[length], little-endian. Keys, shares and signatures are base64.

/** What all clients of a round agree on. */
export interface SecureSettings {
  /** Parameters of the model. */
  readonly length: number;
  /** Changes beyond -clipRange..clipRange are cut off to it. */
  readonly clipRange: number;
  /** Steps that the range is divided into. Clients times levels times the largest weight stay below 2^32. */
  readonly levels: number;
  /** Largest weight of a client; with 1 all weigh the same. */
  readonly maxWeight: number;
  /** Samples that weigh 1. */
  readonly samplesPerWeight: number;
  /** A sum of fewer is not made. */
  readonly minClients: number;
  /** Another one each time a round is tried: a client makes new keys for it, or secrets of two tries would open each other. */
  readonly attempt: number;
}

/** Phase `keys`: the aggregator asks for keys. */
export interface SecureKeysTask {
  readonly settings: SecureSettings;
}

/** A client's public keys of one round, X25519. */
export interface SecureKeys {
  /** What pairs of clients derive their masks from. */
  readonly maskKey: string;
  /** What they seal shares for each other with. */
  readonly sealKey: string;
  /** Of the client's device, over both keys, federation and round, where the federation asks for it. */
  readonly signature?: string;
  /** Whose signature it is. */
  readonly device?: string;
}

/** Phase `shares`: who is in. The clients in ascending order of their `maskKey`; a client's index is its place there. */
export interface SecureSharesTask {
  readonly settings: SecureSettings;
  readonly clients: readonly SecureKeys[];
}

/** A client's shares, one for each neighbour, sealed. */
export interface SecureSharesAnswer {
  /** SHA-256 of the seed of its own mask: by it the aggregator knows that it put the shares together right. */
  readonly commitment: string;
  readonly boxes: readonly { readonly to: number; readonly box: string }[];
}

/** Phase `masked`: whose shares came, and those that are for this client. */
export interface SecureMaskedTask {
  readonly present: readonly number[];
  readonly boxes: readonly { readonly from: number; readonly box: string }[];
}

/** Phase `unmask`: whose vectors came. Of those the aggregator asks for the own mask's share, of the dropped for the key's. */
export interface SecureUnmaskTask {
  readonly survivors: readonly number[];
  readonly dropped: readonly number[];
}

/** A share of a neighbour's secret. */
export interface SecureShare {
  readonly of: number;
  readonly share: string;
}

/** Shares of one secret of each neighbour. */
export interface SecureUnmaskAnswer {
  /** Of survivors: the seed of their own mask. */
  readonly seeds: readonly SecureShare[];
  /** Of the dropped: the secret of their `maskKey`. */
  readonly keys: readonly SecureShare[];
}

/** What a client answers in each phase. */
export type SecureAnswer =
  | { readonly phase: "keys"; readonly message: SecureKeys }
  | { readonly phase: "shares"; readonly message: SecureSharesAnswer }
  /** The masked vector: one word for each parameter, and one for the weight. */
  | { readonly phase: "masked"; readonly message: Uint32Array<ArrayBuffer> }
  | { readonly phase: "unmask"; readonly message: SecureUnmaskAnswer };
