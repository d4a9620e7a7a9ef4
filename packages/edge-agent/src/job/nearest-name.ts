/** The known name that someone most likely meant; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const given = name.toLowerCase().replace(/[-_]/g, "");
  const sorted = (letters: string): string => [...letters].toSorted().join("");
  const edits = (one: string): number =>
    sorted(one) === sorted(given)
      ? Math.min(1, editsBetween(given, one))
      : editsBetween(given.slice(0, 40), one);
  const ranked = known
    .map((one) => ({ one, edits: edits(one.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(best.one.length / 3)) ? best.one : undefined;
}

/** Letters to add, take away or change. Source: R. Wagner and M. Fischer, "The string-to-string correction problem", 1974. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
