import { afterAll, beforeAll } from "vitest";

/**
 * Creates kernels before the tests of a `describe` run and disposes them afterward. Returns a function that
 * returns the kernels.
 */
export function underTest<Kernels extends { dispose(): void }>(make: () => Promise<Kernels>): () => Kernels {
  let made: Kernels | undefined;
  beforeAll(async () => {
    made = await make();
  });
  afterAll(() => made?.dispose());
  return () => {
    if (made === undefined) throw new Error("expected kernels created before the tests; got none");
    return made;
  };
}
