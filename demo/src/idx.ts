/**
 * Reads an IDX file of bytes, compressed with gzip or not: some hosts decompress `.gz` files in transit.
 *
 * Source: yann.lecun.com/exdb/mnist.
 *
 * @returns The values without the header, and the axes.
 * @throws {TypeError} If the file is not an IDX file of unsigned bytes.
 */
export async function readIdx(
  file: Uint8Array<ArrayBuffer>,
): Promise<{ readonly shape: readonly number[]; readonly data: Uint8Array }> {
  const isZipped = file[0] === 0x1f && file[1] === 0x8b;
  const bytes = isZipped
    ? new Uint8Array(
        await new Response(
          new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip")),
        ).arrayBuffer(),
      )
    : file;
  const view = new DataView(bytes.buffer);
  const axes = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * axes || view.getUint16(0) !== 0 || bytes[2] !== 8)
    throw new TypeError(
      `read digits: expected an IDX file of bytes; got ${bytes.length} bytes in another format`,
    );
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  return { shape, data: bytes.subarray(4 + 4 * axes) };
}
