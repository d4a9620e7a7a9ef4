import { afterAll, beforeAll } from "vitest";

/** Kernels that are made before the tests of a `describe` run, and disposed after them. */
export function underTest<Kernels extends { dispose(): void }>(make: () => Promise<Kernels>): () => Kernels {
  let made: Kernels | undefined;
  beforeAll(async () => {
    made = await make();
  });
  afterAll(() => made?.dispose());
  return () => {
    if (made === undefined) throw new Error("kernels are made before the tests run");
    return made;
  };
}
