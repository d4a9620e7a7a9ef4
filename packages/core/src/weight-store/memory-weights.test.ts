import { weightStoreSuite } from "../../../../testing/suites/weight-store-suite.ts";
import { memoryWeights } from "./memory-weights.ts";

weightStoreSuite("memory", async () => memoryWeights());
