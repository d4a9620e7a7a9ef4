/** A session of a client in a federation. A newer epoch of the same client fences an older one. */
export interface Member {
  readonly client: string;
  readonly epoch: number;
}
