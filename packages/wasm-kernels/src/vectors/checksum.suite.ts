import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checksum } from "./checksum.ts";
import type { VectorKernels } from "./vector-kernels.ts";

/** What every backend's checksum and rooms must do. */
export function checksumSuite({
  kernels,
  make,
}: {
  readonly kernels: () => VectorKernels;
  readonly make: () => Promise<VectorKernels>;
}): void {
  describe("checksum()", () => {
    const some = (length: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => (i * 151 + (i >> 3)) & 255);

    it("is the same as ever: it is a part of the protocol", () => {
      const known = [0, 1, 4, 127, 128, 129, 1003, 200_000].map((length) => checksum(some(length)));
      expect(known).toEqual([
        0, 3506210629, 517704591, 1858244321, 3711461447, 1292864176, 1379951255, 1714986793,
      ]);
    });

    it.each([0, 1, 3, 4, 5, 127, 128, 129, 1003, 65_536, 200_001])(
      "of %i bytes is the twin's, in kernel memory and elsewhere",
      (length) => {
        const bytes = some(length);
        expect(kernels().checksum(bytes)).toBe(checksum(bytes));
        using room = kernels().updateBuffer({ bytes: length + 8 });
        room.bytes().set(bytes, 8);
        expect(kernels().checksum(room.bytes().subarray(8))).toBe(checksum(bytes));
      },
    );

    it("shows any change within a word, another length, and words that changed places", () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 1, maxLength: 600 }),
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          (bytes, where, flip) => {
            const spoilt = bytes.slice();
            spoilt[where % bytes.length]! ^= flip;
            expect(kernels().checksum(spoilt)).not.toBe(kernels().checksum(bytes));
          },
        ),
      );
      expect(kernels().checksum(new Uint8Array(8))).not.toBe(kernels().checksum(new Uint8Array(7)));
      expect(kernels().checksum(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0))).not.toBe(
        kernels().checksum(Uint8Array.of(2, 0, 0, 0, 1, 0, 0, 0)),
      );
    });

    it("of bytes in kernel memory is right although its own scratch makes that memory grow", async () => {
      using fresh = await make();
      // Fills what there is, so that the next block must grow it.
      using room = fresh.updateBuffer({ bytes: 1_200_000 });
      room.bytes().set(some(1_200_000));
      expect(fresh.checksum(room.bytes())).toBe(checksum(some(1_200_000)));
    });

    it("refuses what are no bytes", () => {
      expect(() => kernels().checksum([1, 2] as never)).toThrow(
        new TypeError("checksum: expected bytes to be a Uint8Array, got Array"),
      );
      expect(() => kernels().updateBuffer({ bytes: 0 })).toThrow(
        "updateRoom: expected bytes to be an integer in 1..2147483647, got 0",
      );
    });
  });

  describe("updateRoom()", () => {
    it("starts as zeros, keeps what is written, and gives its memory back once", () => {
      const room = kernels().updateBuffer({ bytes: 40 });
      expect([...room.bytes()]).toEqual(Array.from({ length: 40 }, () => 0));
      room.bytes()[39] = 7;
      kernels()
        .updateBuffer({ bytes: 2 ** 22 })
        .dispose();
      expect(room.bytes()[39]).toBe(7);
      room.dispose();
      room[Symbol.dispose]();
      expect(() => room.bytes()).toThrow("bytes: expected an update's room in use, got a disposed one");
    });
  });
}
