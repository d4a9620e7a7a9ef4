import { WireError } from "@sedna-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pamParser } from "./pam-parser.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const pam = (width: number, height: number, value = 0): Uint8Array => {
  const header = bytes(
    `P7\nWIDTH ${width}\nHEIGHT ${height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n`,
  );
  return Uint8Array.from([...header, ...new Uint8Array(4 * width * height).fill(value)]);
};

describe("pamParser()", () => {
  it("reads images of different sizes wherever the stream is split into chunks", () => {
    const stream = Uint8Array.from([...pam(3, 2, 10), ...pam(1, 1, 20), ...pam(4, 5, 30)]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (cuts) => {
        const parser = pamParser();
        const pictures = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const length = cuts[i % cuts.length]!;
          pictures.push(...parser.push(stream.subarray(at, (at += length))));
        }
        expect(
          pictures.map(({ width, height, data }) => [width, height, data.length, data[0], data.at(-1)]),
        ).toEqual([
          [3, 2, 24, 10, 10],
          [1, 1, 4, 20, 20],
          [4, 5, 80, 30, 30],
        ]);
        expect(parser.isBetween).toBe(true);
      }),
    );
  });

  it("returns images that later calls do not modify", () => {
    const parser = pamParser();
    const [first] = parser.push(pam(2, 2, 1));
    const chunk = pam(2, 2, 2);
    const [second] = parser.push(chunk);
    chunk.fill(9);
    expect([first!.data[0], second!.data[0]]).toEqual([1, 2]);
  });

  it("reports whether it is between two images", () => {
    const parser = pamParser();
    expect(parser.isBetween).toBe(true);
    for (const byte of pam(1, 1).subarray(0, -1)) {
      expect(parser.push(Uint8Array.of(byte))).toEqual([]);
      expect(parser.isBetween).toBe(false);
    }
  });

  it.each<[string, string, string]>([
    ["another format", "P6\nWIDTH 1\nENDHDR\n", 'expected a PAM that begins with P7; got "P6"'],
    [
      "images without alpha",
      "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nENDHDR\n",
      'expected DEPTH 4; got "3"',
    ],
    [
      "no width",
      "P7\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nENDHDR\n",
      "expected WIDTH as a positive integer; got null",
    ],
    ["a side that is not a number", "P7\nWIDTH 1e9\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nENDHDR\n", 'got "1e9"'],
    [
      "an image of more than a gigabyte",
      "P7\nWIDTH 65536\nHEIGHT 65536\nDEPTH 4\nMAXVAL 255\nENDHDR\n",
      'expected at most 33554432 pixels; got "65536x65536"',
    ],
    ["a header without an end", `P7\n${"#".repeat(300)}`, "expected the header of a PAM within 256 bytes"],
  ])("refuses %s", (_, header, message) => {
    expect(() => pamParser().push(bytes(header))).toThrow(message);
  });

  it("throws only WireError for any input", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(
        ...[
          "P7\n",
          "WIDTH 2\n",
          "HEIGHT 3\n",
          "WIDTH -1\n",
          "DEPTH 4\n",
          "MAXVAL 255\n",
          "ENDHDR\n",
          "\n",
          " ",
        ].map(bytes),
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const parser = pamParser();
        try {
          for (const one of pieces) parser.push(one);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});
