import type { HardExampleMiner } from "./miner.ts";

/** Marks every sample as hard. Source: `CloudOnlyFilter` in Sedna. */
export function CloudOnly(_param: Readonly<Record<string, unknown>> = {}): HardExampleMiner<unknown> {
  return () => true;
}

/** Marks no sample as hard. Source: `EdgeOnlyFilter` in Sedna. */
export function EdgeOnly(_param: Readonly<Record<string, unknown>> = {}): HardExampleMiner<unknown> {
  return () => false;
}
