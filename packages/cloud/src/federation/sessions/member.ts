/** A client that is in a federation now. A newer epoch of the same client fences an older one. */
export interface Member {
  readonly client: string;
  readonly epoch: number;
}
