// Invariants under any failure, checked on a real run. Source: reliability's invariants 1, 3 and 5.
import { readSampleUpload } from "@sedna-js/core/wire";

/** Record of a run. */
export interface History {
  /** Samples that an agent's queue acknowledged, with their payloads. */
  readonly taken: readonly { readonly id: string; readonly payload: Uint8Array }[];
  /** Samples that agents dropped and reported as dropped. */
  readonly dropped?: readonly string[];
  /** Samples that were acknowledged to an agent as stored. */
  readonly acknowledged: readonly string[];
  /** All samples on the server. */
  readonly stored: readonly { readonly id: string; readonly bytes: Uint8Array }[];
  /** Model versions of each agent, in the order of its results. */
  readonly versions?: Readonly<Record<string, readonly number[]>>;
  /** Bytes that a proxy saw leave, one entry per connection. */
  readonly sent?: readonly Uint8Array[];
  /** Sizes of whole frames that must not leave, and bytes that would reveal one. */
  readonly forbidden?: {
    readonly frames: readonly { readonly width: number; readonly height: number }[];
    readonly pixels?: readonly Uint8Array[];
  };
}

/** Returns the violations, one sentence each; an empty list for a valid history. */
export function violations({
  taken,
  dropped = [],
  acknowledged,
  stored,
  versions = {},
  sent = [],
  forbidden,
}: History): string[] {
  const found: string[] = [];
  const copies = new Map<string, number>();
  for (const { id } of stored) copies.set(id, (copies.get(id) ?? 0) + 1);
  const payloads = new Map(taken.map(({ id, payload }) => [id, payload]));
  const gone = new Set(dropped);

  for (const [id, count] of copies) if (count > 1) found.push(`1: ${id} is stored ${count} times`);
  for (const id of new Set(acknowledged))
    if (!copies.has(id)) found.push(`1: ${id} was acknowledged and is not stored`);
  for (const id of payloads.keys())
    if (!copies.has(id) && !gone.has(id))
      found.push(`1: ${id} was acknowledged by the queue, is not stored, and was not reported as dropped`);
  for (const { id, bytes } of stored) {
    const payload = payloads.get(id);
    if (!payload) found.push(`1: ${id} is stored and no queue acknowledged it`);
    else if (!isSame(readSampleUpload(bytes).payload, payload))
      found.push(`1: ${id} is stored with different bytes than were acknowledged`);
  }
  for (const [agent, seen] of Object.entries(versions)) {
    for (const [i, version] of seen.entries())
      if (i > 0 && version < seen[i - 1]!)
        found.push(`3: ${agent} went from model version ${seen[i - 1]} back to ${version}`);
  }
  for (const [connection, bytes] of sent.entries()) {
    for (const { width, height } of pictureSizes(bytes)) {
      if (forbidden?.frames.some((frame) => frame.width === width && frame.height === height))
        found.push(`5: connection ${connection} carried a picture of the whole frame, ${width}x${height}`);
    }
    if (forbidden?.pixels?.some((pixels) => Buffer.from(bytes).includes(Buffer.from(pixels))))
      found.push(`5: connection ${connection} carried unmodified pixels of a frame`);
  }
  return found;
}

/** Returns the sizes of all JPEG and PNG pictures that start anywhere in the bytes. WebP is not searched. */
export function pictureSizes(given: Uint8Array): { width: number; height: number }[] {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  const found: { width: number; height: number }[] = [];
  const each = (mark: Buffer, read: (at: number) => { width: number; height: number } | undefined): void => {
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
      const size = read(at);
      if (size) found.push(size);
    }
  };
  each(Buffer.from([0xff, 0xd8, 0xff]), (at) => jpegSize(bytes, at));
  each(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), (at) =>
    at + 24 <= bytes.length
      ? { width: bytes.readUInt32BE(at + 16), height: bytes.readUInt32BE(at + 20) }
      : undefined,
  );
  return found;
}

/** Reads the size from the start-of-frame segment of a JPEG. Source: ITU T.81, B.2.2. */
function jpegSize(bytes: Buffer, start: number): { width: number; height: number } | undefined {
  for (
    let at = start + 2;
    at + 9 <= bytes.length && bytes[at] === 0xff;
    at += 2 + bytes.readUInt16BE(at + 2)
  ) {
    const marker = bytes[at + 1]!;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
  }
  return undefined;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
