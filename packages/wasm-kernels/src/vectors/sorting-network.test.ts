import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sortingNetwork } from "./sorting-network.ts";

describe("sortingNetwork()", () => {
  it("sorts any values", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 70 }), (values) => {
        const sorted = [...values];
        const network = sortingNetwork(values.length);
        for (let i = 0; i < network.length; i += 2) {
          const [a, b] = [network[i]!, network[i + 1]!];
          if (sorted[b]! < sorted[a]!) [sorted[a], sorted[b]] = [sorted[b]!, sorted[a]!];
        }
        expect(sorted).toEqual(values.toSorted((x, y) => x - y));
      }),
    );
  });

  it("needs 63 comparisons for 16 rows, like Batcher's network", () => {
    expect(sortingNetwork(16).length / 2).toBe(63);
  });
});
