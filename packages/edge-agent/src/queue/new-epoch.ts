/** Returns twelve random hexadecimal digits that identify one lifetime of a store. */
export function newEpoch(): string {
  return [...crypto.getRandomValues(new Uint8Array(6))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
