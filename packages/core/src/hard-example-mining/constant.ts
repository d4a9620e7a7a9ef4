import { parameterized } from "../check/parameters.ts";
import type { HardExampleMiner } from "./miner.ts";

/** Marks every sample as hard. Source: `CloudOnlyFilter` in Sedna. */
export const CloudOnly = parameterized({}, (): HardExampleMiner<unknown> => () => true);

/** Marks no sample as hard. Source: `EdgeOnlyFilter` in Sedna. */
export const EdgeOnly = parameterized({}, (): HardExampleMiner<unknown> => () => false);
