import { afterAll, beforeAll } from "vitest";
import { detectionsSuite } from "./detections.suite.ts";
import { errorsSuite } from "./errors.suite.ts";
import { hardExamplesSuite } from "./hard-examples.suite.ts";
import { imageToTensorSuite } from "./image-to-tensor.suite.ts";
import type { PerceptionKernels } from "./perception-kernels.ts";

/** What a backend of the perception kernels must do. Call it inside a `describe`. */
export function perceptionSuite(make: () => Promise<PerceptionKernels>): void {
  let made: PerceptionKernels | undefined;
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
