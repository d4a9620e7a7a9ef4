import { CloudOnly, EdgeOnly } from "./constant.ts";
import { CrossEntropy } from "./cross-entropy.ts";
import { ExpectedF1 } from "./expected-f1.ts";
import { IBT } from "./ibt.ts";
import { Margin, MaxProbability } from "./probability-miners.ts";
import { Random } from "./random.ts";
import { Threshold } from "./threshold.ts";

/**
 * Miners by name, for `select`. The first six are Sedna's miners under Sedna's names; the others are this
 * project's. Extend the table by spreading: `{ ...hardExampleMining, Mine: (param) => (inferResult) =>
 * boolean }`.
 */
export const hardExampleMining = {
  Threshold,
  CrossEntropy,
  IBT,
  Random,
  CloudOnly,
  EdgeOnly,
  ExpectedF1,
  MaxProbability,
  Margin,
} as const;
