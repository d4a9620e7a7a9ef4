import { describe, expect, it } from "vitest";
import type { GallerySuiteOptions } from "./gallery-fixture.suite.ts";
import type { GalleryPort } from "./gallery-port.ts";
import type { GalleryOptions } from "./gallery.ts";

type Kind = typeof TypeError | typeof RangeError;
// Wrong types on purpose: JavaScript callers can pass them.
const wrong = (value: unknown) => value as never;
const queries = Float32Array.of(1, 0, 0, 0);
const rows = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0);

const badOptions: readonly (readonly [message: string, kind: Kind, options: GalleryOptions])[] = [
  ["gallery: expected dimensions to be an integer in 1..65536; got 0", RangeError, { dimensions: 0 }],
  ['gallery: expected dimensions to be an integer; got "4"', TypeError, { dimensions: wrong("4") }],
  [
    'gallery: expected precision to be "f32" or "int8" or "binary"; got "f16"',
    RangeError,
    { dimensions: 4, precision: wrong("f16") },
  ],
  [
    "gallery: expected dimensions to be at least 64 for binary sketches; got 63",
    RangeError,
    { dimensions: 63, precision: "binary" },
  ],
];

const badCalls: readonly (readonly [message: string, kind: Kind, call: (gallery: GalleryPort) => unknown])[] =
  [
    [
      "set: expected vectors to be a Float32Array; got Array",
      TypeError,
      (g) => g.set(["b"], wrong([1, 0, 0, 0])),
    ],
    [
      "set: expected vectors to have a multiple of 4 elements; got 3",
      RangeError,
      (g) => g.set(["b"], new Float32Array(3)),
    ],
    ['set: expected ids to be an array; got "b"', TypeError, (g) => g.set(wrong("b"), queries)],
    ["set: expected ids to have 2 elements (one per vector); got 1", RangeError, (g) => g.set(["b"], rows)],
    [
      "set: expected ids[1] to be a string or a number; got true",
      TypeError,
      (g) => g.set(["b", wrong(true)], rows),
    ],
    [
      "set: expected vectors, vector 1, to be finite; got NaN",
      RangeError,
      (g) => g.set(["a", "b"], Float32Array.of(0, 0, 1, 0, 0, NaN, 0, 0)),
    ],
    [
      "set: expected vectors, vector 0, to be finite; got Infinity",
      RangeError,
      (g) => g.set(["a"], Float32Array.of(0, 0, -Infinity, 0)),
    ],
    [
      "set: expected ids[0] to be a string or a number; got undefined",
      TypeError,
      (g) => g.set(wrong(Object.assign([], { length: 1 })), Float32Array.of(1, 0, 0, 0)),
    ],
    [
      "set: expected vectors, vector 1, to have a direction; got all zeros",
      RangeError,
      (g) => g.set(["a", "b"], Float32Array.of(0, 0, 1, 0, 0, 0, 0, 0)),
    ],
    [
      "match: expected queries to be a Float32Array; got undefined",
      TypeError,
      (g) => g.match(wrong({ k: 1 })),
    ],
    [
      "match: expected queries to have a multiple of 4 elements; got 5",
      RangeError,
      (g) => g.match({ queries: new Float32Array(5), k: 1 }),
    ],
    [
      "match: expected queries, vector 0, to have a direction; got all zeros",
      RangeError,
      (g) => g.match({ queries: new Float32Array(4), k: 1 }),
    ],
    ["match: expected k to be an integer in 1..1000; got 0", RangeError, (g) => g.match({ queries, k: 0 })],
    [
      "match: expected k to be an integer in 1..1000; got 1001",
      RangeError,
      (g) => g.match({ queries, k: 1001 }),
    ],
    [
      "match: expected threshold to be a number; got NaN",
      RangeError,
      (g) => g.match({ queries, k: 1, threshold: NaN }),
    ],
    [
      "match: expected candidates to be an integer in 3..2147483647; got 2",
      RangeError,
      (g) => g.match({ queries, k: 3, candidates: 2 }),
    ],
  ];

/**
 * Tests that every gallery throws the same errors for invalid input without changing anything, and throws for
 * every call after `dispose`.
 */
export function galleryErrorsSuite({ make, precisions }: GallerySuiteOptions): void {
  describe("bad input", () => {
    it.each(
      badOptions.filter(([, , options]) => precisions === undefined || options.precision === undefined),
    )("is refused: %s", async (message, kind, options) => {
      const attempt = async () => make(options);
      await expect(attempt()).rejects.toThrow(new kind(message));
    });

    it("is rejected and changes nothing", async () => {
      const gallery = await make({ dimensions: 4 });
      await gallery.set(["a"], queries);
      for (const [message, kind, call] of badCalls) {
        const error: unknown = await (async () => call(gallery))().then(
          () => "no error",
          (thrown: unknown) => thrown,
        );
        expect(error, message).toBeInstanceOf(kind);
        expect((error as Error).message).toBe(message);
        expect([gallery.size, gallery.has("a"), gallery.has("b")]).toEqual([1, true, false]);
      }
      expect(await gallery.match({ queries, k: 2 })).toEqual([[{ id: "a", score: 1 }]]);
      await gallery.dispose();
    });
  });

  describe("dispose()", () => {
    it("makes every later call throw and can be called twice", async () => {
      const gallery = await make({ dimensions: 4 });
      await gallery.set(["a"], queries);
      await gallery.dispose();
      await gallery.dispose();
      const calls = {
        set: () => gallery.set(["a"], queries),
        has: () => gallery.has("a"),
        delete: () => gallery.delete("a"),
        match: () => gallery.match({ queries, k: 1 }),
      };
      for (const [action, call] of Object.entries(calls)) {
        await expect((async () => call())()).rejects.toThrow(
          `${action}: expected a gallery in use; got a disposed one`,
        );
      }
    });
  });
}
