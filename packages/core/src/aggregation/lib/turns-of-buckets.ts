/**
 * Whose turn it is: the buckets in random order, then again in another, so that their counts differ by at most one and
 * nobody who chooses when to come chooses with whom. `random` is uniform in [0,1).
 */
export function turnsOfBuckets(buckets: number, random: () => number): () => number {
  const order = Uint32Array.from({ length: buckets }, (_, i) => i);
  let next = buckets;
  return () => {
    if (next === buckets) {
      for (let i = buckets - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      next = 0;
    }
    return order[next++]!;
  };
}
