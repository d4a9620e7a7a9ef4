/** The rows of the highest scores seen, best first; of equal scores the one offered first. */
export interface TopRows {
  /** The lowest score kept, or -Infinity while there is room: only higher ones are worth an `offer`. */
  lowest(): number;
  offer(score: number, row: number): void;
  clear(): void;
  rows(): number[];
}

/**
 * Keeps the best `count` of what it is offered, sorted by insertion: a new best is rare once it has seen a
 * few.
 */
export function createTopRows(count: number): TopRows {
  const scores = new Float64Array(count).fill(-Infinity);
  const rows = new Int32Array(count).fill(-1);
  const last = count - 1;
  return {
    lowest: () => scores[last]!,
    offer(score, row) {
      if (!(score > scores[last]!)) return;
      let at = last;
      for (; at > 0 && scores[at - 1]! < score; at--) {
        scores[at] = scores[at - 1]!;
        rows[at] = rows[at - 1]!;
      }
      scores[at] = score;
      rows[at] = row;
    },
    clear() {
      scores.fill(-Infinity);
      rows.fill(-1);
    },
    rows: () => Array.from(rows),
  };
}
