import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checksum } from "./checksum.ts";
import type { VectorKernels } from "./vector-kernels.ts";

/** Tests that the checksum and update buffers of every backend must pass. */
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

    it("matches known values, because the checksum is part of the protocol", () => {
      const known = [0, 1, 4, 127, 128, 129, 1003, 200_000].map((length) => checksum(some(length)));
      expect(known).toEqual([
        0, 3506210629, 517704591, 1858244321, 3711461447, 1292864176, 1379951255, 1714986793,
      ]);
    });

    it.each([0, 1, 3, 4, 5, 127, 128, 129, 1003, 65_536, 200_001])(
      "matches the reference for %i bytes in kernel memory and elsewhere",
      (length) => {
        const bytes = some(length);
        expect(kernels().checksum(bytes)).toBe(checksum(bytes));
        using room = kernels().updateBuffer({ bytes: length + 8 });
        room.bytes().set(bytes, 8);
        expect(kernels().checksum(room.bytes().subarray(8))).toBe(checksum(bytes));
      },
    );

    it("detects a change within a word, a different length, and swapped words", () => {
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

    it("is correct for bytes in kernel memory even if its own scratch grows that memory", async () => {
      using fresh = await make();
      // Fill the initial memory, so that the next block must grow it.
      using room = fresh.updateBuffer({ bytes: 1_200_000 });
      room.bytes().set(some(1_200_000));
      expect(fresh.checksum(room.bytes())).toBe(checksum(some(1_200_000)));
    });

    it("rejects input that is not bytes", () => {
      expect(() => kernels().checksum([1, 2] as never)).toThrow(
        new TypeError("checksum: expected bytes to be a Uint8Array; got Array"),
      );
      expect(() => kernels().updateBuffer({ bytes: 0 })).toThrow(
        "updateBuffer: expected bytes to be an integer in 1..2147483647; got 0",
      );
    });
  });

  describe("updateBuffer()", () => {
    it("starts as zeros, keeps written bytes, and releases its memory once", () => {
      const room = kernels().updateBuffer({ bytes: 40 });
      expect([...room.bytes()]).toEqual(Array.from({ length: 40 }, () => 0));
      room.bytes()[39] = 7;
      kernels()
        .updateBuffer({ bytes: 2 ** 22 })
        .dispose();
      expect(room.bytes()[39]).toBe(7);
      room.dispose();
      room[Symbol.dispose]();
      expect(() => room.bytes()).toThrow("bytes: expected an update buffer in use; got a disposed one");
    });
  });
}
