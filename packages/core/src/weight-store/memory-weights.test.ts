import { weightStoreSuite } from "../../../../testing/weight-store-suite.ts";
import { memoryWeights } from "./memory-weights.ts";

weightStoreSuite("memory", async () => memoryWeights());
