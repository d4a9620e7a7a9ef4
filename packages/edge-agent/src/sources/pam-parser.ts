import { WireError, type Pixels } from "@sedna-js/core";

/** Splits a byte stream into images. See {@link pamParser}. */
export interface PamParser {
  /**
   * Returns the images that these bytes complete. The caller owns their pixels: later calls do not modify
   * them.
   */
  push(chunk: Uint8Array): Pixels[];
  /** Whether the parser is between two images. */
  readonly isBetween: boolean;
}

/**
 * Maximum number of pixels of an image. No camera needs more, and one header must not allocate a gigabyte.
 */
const MAX_PIXELS = 2 ** 25;
const MAX_HEADER = 256;
const NEWLINE = 10;

/**
 * Creates a parser of consecutive RGBA8 images in PAM format. Each image carries its own size, so a stream
 * that changes its size is read correctly.
 *
 * Source: netpbm's pam(5); written by ffmpeg's encoder `pam` with `rgba`.
 *
 * @throws {WireError} From `push`, on any other input. The parser is unusable afterwards.
 */
export function pamParser(): PamParser {
  let header: number[] = [];
  let picture: { readonly width: number; readonly height: number; readonly data: Uint8Array } | undefined;
  let filled = 0;

  return {
    get isBetween() {
      return picture === undefined && header.length === 0;
    },
    push(chunk) {
      const pictures: Pixels[] = [];
      for (let at = 0; at < chunk.length;) {
        if (picture) {
          const part = chunk.subarray(at, at + picture.data.length - filled);
          picture.data.set(part, filled);
          at += part.length;
          filled += part.length;
          if (filled < picture.data.length) break;
          pictures.push(picture);
          picture = undefined;
          continue;
        }
        const byte = chunk[at++] as number;
        header.push(byte);
        if (byte === NEWLINE && isComplete(header)) {
          const { width, height } = readHeader(header);
          picture = { width, height, data: new Uint8Array(4 * width * height) };
          header = [];
          filled = 0;
        } else if (header.length > MAX_HEADER) {
          throw new WireError(
            `read a picture: expected the header of a PAM within ${MAX_HEADER} bytes; got ${JSON.stringify(asText(header).slice(0, 40))}...`,
          );
        }
      }
      return pictures;
    },
  };
}

const asText = (bytes: readonly number[]): string => String.fromCharCode(...bytes);
const isComplete = (header: readonly number[]): boolean => asText(header.slice(-8)) === "\nENDHDR\n";

function readHeader(bytes: readonly number[]): { readonly width: number; readonly height: number } {
  const [magic, ...lines] = asText(bytes).split("\n").slice(0, -2);
  const fields = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
  );
  const expected = (what: string, got: string | undefined): WireError =>
    new WireError(`read a picture: expected ${what}; got ${JSON.stringify(got ?? null)}`);
  if (magic !== "P7") throw expected("a PAM that begins with P7", magic);
  for (const [name, value] of [
    ["DEPTH", "4"],
    ["MAXVAL", "255"],
  ] as const)
    if (fields.get(name) !== value) throw expected(`${name} ${value}`, fields.get(name));
  const side = (name: string): number => {
    const text = fields.get(name);
    if (text === undefined || !/^[1-9]\d{0,5}$/.test(text))
      throw expected(`${name} as a positive integer`, text);
    return Number(text);
  };
  const width = side("WIDTH");
  const height = side("HEIGHT");
  if (width * height > MAX_PIXELS) throw expected(`at most ${MAX_PIXELS} pixels`, `${width}x${height}`);
  return { width, height };
}
