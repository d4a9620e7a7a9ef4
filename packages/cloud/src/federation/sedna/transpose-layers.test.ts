import { expect, it } from "vitest";
import { transposedLayout, transposeLayers } from "./transpose-layers.ts";

const layout = [
  { name: "w", shape: [2, 3] },
  { name: "b", shape: [2] },
  { name: "k", shape: [2, 1, 2] },
  { name: "v", shape: [3, 1] },
];

it("transposes matrices and leaves all other layers, and the inverse restores them", () => {
  const flat = Float32Array.from({ length: 15 }, (_, i) => i);
  const turned = transposeLayers(flat, layout);
  expect([...turned]).toEqual([0, 3, 1, 4, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  expect(transposedLayout(layout).map(({ shape }) => shape)).toEqual([[3, 2], [2], [2, 1, 2], [1, 3]]);
  expect(transposeLayers(turned, transposedLayout(layout))).toEqual(flat);
});
