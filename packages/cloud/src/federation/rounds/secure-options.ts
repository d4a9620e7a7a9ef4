/** What a secure sum may be told otherwise. */
export interface SecureOptions {
  /** Changes beyond it, up and down, are cut off. Default 8. */
  readonly clipRange?: number;
  /** Largest weight of a client. Default 1: all weigh the same. */
  readonly maxWeight?: number;
  /** Samples that weigh 1. Default 100. */
  readonly samplesPerWeight?: number;
  /** A sum of fewer is not made. Default 3, or what the rounds ask for if that is more. */
  readonly minClients?: number;
}

/**
 * Of fewer clients a sum is not made, where the options do not say: of two, each knows what the other sent.
 */
export const minSecureClients = (minimum: number): number => Math.max(3, minimum);
