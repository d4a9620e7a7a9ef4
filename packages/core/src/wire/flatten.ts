/**
 * Nested lists as one flat list, at most `levels` deep: JSON from outside may nest deeper than a stack can go.
 * @returns undefined when the lists nest deeper than that.
 */
export function flatten(nested: readonly unknown[], levels: number): unknown[] | undefined {
  let flat: readonly unknown[] = nested;
  for (let level = 1; level < levels && flat.some(Array.isArray); level++) flat = flat.flat(1);
  return flat.some(Array.isArray) ? undefined : [...flat];
}
