import type { HardExampleMiner } from "./miner.ts";

/** Every sample is hard. Source: `CloudOnlyFilter` in Sedna. */
export function CloudOnly(_param: Readonly<Record<string, unknown>> = {}): HardExampleMiner<unknown> {
  return () => true;
}

/** No sample is hard. Source: `EdgeOnlyFilter` in Sedna. */
export function EdgeOnly(_param: Readonly<Record<string, unknown>> = {}): HardExampleMiner<unknown> {
  return () => false;
}
