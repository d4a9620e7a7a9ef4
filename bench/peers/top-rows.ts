/** The rows with the highest scores, best first. Of equal scores, the one offered first wins. */
export interface TopRows {
  /**
   * Returns the lowest stored score, or -Infinity if fewer than `count` rows are stored. Only higher scores
   * are worth an `offer`.
   */
  lowest(): number;
  offer(score: number, row: number): void;
  clear(): void;
  rows(): number[];
}

/**
 * Creates a store of the best `count` rows, sorted by insertion. A new best row is rare after the first few.
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
