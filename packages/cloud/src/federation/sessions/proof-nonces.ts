/** Remembers which proofs were used; see {@link proofNonces}. */
export interface ProofNonces {
  /** False where it was taken before. */
  take(nonce: string): boolean;
}

/**
 * Keeps what was used for as long as the proof that it was in can be good: from `windowMs` before now to `windowMs` after. Only
 * what a signature vouches for may come here, and how often that comes is limited, so it stays small.
 */
export function proofNonces({
  windowMs,
  now,
}: {
  readonly windowMs: number;
  readonly now: () => number;
}): ProofNonces {
  // In the order in which they came.
  const used = new Map<string, number>();
  return {
    take(nonce) {
      for (const [old, at] of used) {
        if (now() - at <= 2 * windowMs) break;
        used.delete(old);
      }
      if (used.has(nonce)) return false;
      used.set(nonce, now());
      return true;
    },
  };
}
