/** Number of mask words generated at a time; 256 KiB. */
const CHUNK = 65_536;
const BLOCK = 16;

/**
 * Random words, or a vector of words to mask. Masks are read as little-endian words, the byte order of all
 * JavaScript platforms.
 */
export type RingVector = Uint32Array<ArrayBuffer>;

/**
 * Returns the SHA-256 of a label and byte arrays, each prefixed with its length, so that no two lists of
 * parts give the same input.
 */
export async function sha256(
  label: string,
  ...parts: readonly Uint8Array[]
): Promise<Uint8Array<ArrayBuffer>> {
  const all = [new TextEncoder().encode(label), ...parts];
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let next = 0;
  for (const part of all) {
    view.setUint32(next, part.length, true);
    bytes.set(part, next + 4);
    next += 4 + part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/**
 * Returns the first words of the AES-256-CTR key stream, with the counter starting at 0. Use a key for one
 * mask only.
 */
export async function keystream(key: Uint8Array<ArrayBuffer>, words: number): Promise<RingVector> {
  const vector = new Uint32Array(words);
  await addMask(vector, { key, sign: 1 });
  return vector;
}

/** Adds the key stream of a key to a vector, or subtracts it, modulo 2^32, in place. */
export async function addMask(
  vector: RingVector,
  { key, sign }: { readonly key: Uint8Array<ArrayBuffer>; readonly sign: 1 | -1 },
): Promise<void> {
  const aes = await crypto.subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  const zeros = new Uint8Array(4 * Math.min(CHUNK, vector.length));
  const counter = new Uint8Array(BLOCK);
  for (let from = 0; from < vector.length; from += CHUNK) {
    new DataView(counter.buffer).setUint32(BLOCK - 4, (4 * from) / BLOCK);
    const length = Math.min(CHUNK, vector.length - from);
    const mask = new Uint32Array(
      await crypto.subtle.encrypt(
        { name: "AES-CTR", counter, length: 32 },
        aes,
        zeros.subarray(0, 4 * length),
      ),
    );
    // The typed array wraps at 2^32.
    if (sign === 1) for (let i = 0; i < length; i++) vector[from + i]! += mask[i]!;
    else for (let i = 0; i < length; i++) vector[from + i]! -= mask[i]!;
  }
}
