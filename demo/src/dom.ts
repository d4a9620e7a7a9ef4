/**
 * Returns the element with this id.
 *
 * @throws {Error} If the page has no element of this kind with this id.
 */
export function byId<T extends HTMLElement = HTMLElement>(
  id: string,
  kind: new () => T = HTMLElement as new () => T,
): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind))
    throw new Error(`find #${id}: expected a ${kind.name}; got ${element?.tagName ?? "nothing"}`);
  return element;
}

/** Formats a fraction as "12.3 %". */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}
