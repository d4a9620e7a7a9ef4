// CRC-32 as in zlib, Ethernet and PNG: polynomial 0xEDB88320, reflected. Source: Kounavis and Berry, "A Systematic Approach
// to Building High Performance, Software-based, CRC Generators", 2005: eight bytes a step, each through a table of its own.

const STEP = 8;
const tables = /* @__PURE__ */ makeTables();

/**
 * The checksum of bytes that follow those of `previous`: `crc32(b, crc32(a))` is that of both. From 0 to 2^32 - 1.
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as unknown as readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let crc = ~previous;
  let i = 0;
  for (const end = bytes.length - STEP; i <= end; i += STEP) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t7[crc & 255]! ^ t6[(crc >>> 8) & 255]! ^ t5[(crc >>> 16) & 255]! ^ t4[crc >>> 24]! ^
      t3[bytes[i + 4]!]! ^ t2[bytes[i + 5]!]! ^ t1[bytes[i + 6]!]! ^ t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Table `k`: what a byte is worth that `k` more bytes follow. */
function makeTables(): readonly Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value;
  });
  const made = [first];
  while (made.length < STEP) made.push(made.at(-1)!.map((value) => first[value & 255]! ^ (value >>> 8)));
  return made;
}
