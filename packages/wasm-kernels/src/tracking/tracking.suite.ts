import { describe, expect, it } from "vitest";
import { boxesSuite } from "./boxes.suite.ts";
import { frameDifferenceSuite } from "./frame-difference.suite.ts";
import type { TrackingKernels } from "./tracking-kernels.ts";
import { underTest } from "../module/under-test.suite.ts";

// Wrong types on purpose: JavaScript callers can pass them.
const wrong = (value: unknown) => value as never;

const cases: readonly (readonly [
  message: string,
  kind: typeof TypeError | typeof RangeError,
  call: (kernels: TrackingKernels) => unknown,
])[] = [
  [
    "boxIou: expected boxes to have a multiple of 4 elements; got 6",
    RangeError,
    (k) => k.boxIou({ boxes: new Float32Array(6), others: new Float32Array(4) }),
  ],
  [
    "boxIou: expected others to be a Float32Array; got Array",
    TypeError,
    (k) => k.boxIou({ boxes: new Float32Array(4), others: wrong([]) }),
  ],
  [
    "assign: expected cost[2] to be a number above -Infinity; got NaN",
    RangeError,
    (k) => k.assign({ cost: Float32Array.of(1, 2, NaN, 4), rows: 2, columns: 2 }),
  ],
  [
    "assign: expected cost[0] to be a number above -Infinity; got -Infinity",
    RangeError,
    (k) => k.assign({ cost: Float32Array.of(-Infinity), rows: 1, columns: 1 }),
  ],
  [
    "assign: expected cost to have 6 elements; got 4",
    RangeError,
    (k) => k.assign({ cost: new Float32Array(4), rows: 2, columns: 3 }),
  ],
  [
    "assign: expected rows to be an integer in 0..2147483647; got -1",
    RangeError,
    (k) => k.assign({ cost: new Float32Array(4), rows: -1, columns: -4 }),
  ],
  [
    "assign: expected maxCost to be a number; got NaN",
    RangeError,
    (k) => k.assign({ cost: new Float32Array(4), rows: 2, columns: 2, maxCost: NaN }),
  ],
  [
    "frameDifference: expected cell to be an integer in 1..256; got 257",
    RangeError,
    (k) => k.frameDifference({ width: 4, height: 4, cell: 257 }),
  ],
  [
    "frameDifference: expected threshold to be at least 0; got -1",
    RangeError,
    (k) => k.frameDifference({ width: 4, height: 4, threshold: -1 }),
  ],
  [
    "frameDifference: expected height to be an integer in 1..16384; got 0",
    RangeError,
    (k) => k.frameDifference({ width: 4, height: 0 }),
  ],
  [
    "compare: expected width to be 3; got 2",
    RangeError,
    (k) =>
      k.frameDifference({ width: 3, height: 2 }).compare({ data: new Uint8Array(16), width: 2, height: 2 }),
  ],
  [
    "compare: expected data to have 2 x 2 x 4 elements; got 15",
    RangeError,
    (k) =>
      k.frameDifference({ width: 2, height: 2 }).compare({ data: new Uint8Array(15), width: 2, height: 2 }),
  ],
];

/** Tests that a backend of the tracking kernels must pass. Call it inside a `describe`. */
export function trackingSuite(make: () => Promise<TrackingKernels>): void {
  const kernels = underTest(make);

  boxesSuite(kernels);
  frameDifferenceSuite(kernels);

  describe("bad input", () => {
    it.each(cases)("throws: %s", (message, kind, call) => {
      const attempt = () => call(kernels());
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(kind);
    });
  });

  describe("dispose()", () => {
    it("makes every later call throw, including calls of motion gates", async () => {
      const own = await make();
      const gate = own.frameDifference({ width: 1, height: 1 });
      own.dispose();
      own[Symbol.dispose]();
      expect(() => own.assign({ cost: new Float32Array(0), rows: 0, columns: 0 })).toThrow(
        "assign: expected kernels in use; got disposed ones",
      );
      expect(() => gate.compare({ data: new Uint8Array(4), width: 1, height: 1 })).toThrow(
        "compare: expected kernels in use; got disposed ones",
      );
    });
  });
}
