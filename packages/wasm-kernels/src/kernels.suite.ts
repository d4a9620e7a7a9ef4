import { afterAll, beforeAll } from "vitest";
import { detectionsSuite } from "./detections.suite.ts";
import { errorsSuite } from "./errors.suite.ts";
import { hardExamplesSuite } from "./hard-examples.suite.ts";
import { imageToTensorSuite } from "./image-to-tensor.suite.ts";
import type { Kernels } from "./kernels.ts";

/** What a backend of the kernels must do. Call it inside a `describe`. */
export function kernelsSuite(make: () => Promise<Kernels>): void {
  let made: Kernels | undefined;
  const kernels = () => {
    if (made === undefined) throw new Error("kernels are made before the tests run");
    return made;
  };
  beforeAll(async () => {
    made = await make();
  });
  afterAll(() => made?.dispose());

  hardExamplesSuite(kernels);
  detectionsSuite(kernels);
  imageToTensorSuite(kernels);
  errorsSuite({ kernels, make });
}
