import { describe, isFrame, type Tensor } from "@sedna-js/core";
import type { Sha256 } from "#platform/storage";

const text = new TextEncoder();

/**
 * Feeds a sample's content to a hash, so that no two different samples feed the same: numbers, bytes, tensors by name or one,
 * frames by their pixels.
 * @throws {TypeError} on anything else.
 */
export async function hashSample(hash: Pick<Sha256, "update">, sample: unknown): Promise<void> {
  if (isFrame(sample)) {
    const pixels = new Uint8ClampedArray(4 * sample.width * sample.height);
    await sample.copyTo(pixels);
    return hashArray(hash, { kind: `frame ${sample.width}x${sample.height}`, array: pixels });
  }
  if (ArrayBuffer.isView(sample)) return hashArray(hash, { kind: sample.constructor.name, array: sample });
  if (isTensor(sample))
    return hashArray(hash, { kind: `${sample.dtype} ${sample.shape.join("x")}`, array: sample.data });
  const named = typeof sample === "object" && sample !== null ? Object.entries(sample) : [];
  if (named.length === 0 || !named.every(([, one]) => isTensor(one)))
    throw new TypeError(
      `hash a sample: expected numbers, bytes, tensors or a frame; got ${describe(sample)}. Without a cache any sample goes`,
    );
  for (const [name, one] of named.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    hashArray(hash, { kind: `${JSON.stringify(name)} ${one.dtype} ${one.shape.join("x")}`, array: one.data });
}

function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === "object" &&
    value !== null &&
    "dtype" in value &&
    "shape" in value &&
    "data" in value &&
    ArrayBuffer.isView(value.data)
  );
}

function hashArray(
  hash: Pick<Sha256, "update">,
  { kind, array }: { readonly kind: string; readonly array: ArrayBufferView },
): void {
  hash.update(text.encode(`${kind} ${array.byteLength}\n`));
  hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}
