import { detectionsSuite } from "./detections.suite.ts";
import { errorsSuite } from "./errors.suite.ts";
import { hardExamplesSuite } from "./hard-examples.suite.ts";
import { imageToTensorSuite } from "./image-to-tensor.suite.ts";
import type { PerceptionKernels } from "./perception-kernels.ts";
import { underTest } from "../module/under-test.suite.ts";

/** Tests that a backend of the perception kernels must pass. Call it inside a `describe`. */
export function perceptionSuite(make: () => Promise<PerceptionKernels>): void {
  const kernels = underTest(make);

  hardExamplesSuite(kernels);
  detectionsSuite(kernels);
  imageToTensorSuite(kernels);
  errorsSuite({ kernels, make });
}
