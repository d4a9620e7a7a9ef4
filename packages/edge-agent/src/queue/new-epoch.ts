/** Twelve random hexadecimal digits that tell one life of a store from another. */
export function newEpoch(): string {
  return [...crypto.getRandomValues(new Uint8Array(6))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
