/** Options of secure aggregation. */
export interface SecureOptions {
  /** Values beyond this range, in both directions, are clipped. Default 8. */
  readonly clipRange?: number;
  /** Maximum weight of a client. Default 1: all clients have the same weight. */
  readonly maxWeight?: number;
  /** Number of samples that have weight 1. Default 100. */
  readonly samplesPerWeight?: number;
  /**
   * Minimum number of clients in an aggregate. Default: 3, or the minimum of the rounds if that is larger.
   */
  readonly minClients?: number;
}

/**
 * Returns the default minimum number of clients. With two, each client could compute the update of the other.
 */
export const minSecureClients = (minimum: number): number => Math.max(3, minimum);
