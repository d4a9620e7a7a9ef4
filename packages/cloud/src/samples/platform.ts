import type { SampleStore } from "./sample-store.ts";

/**
 * Creates a store that keeps samples as files in one directory. The directory is created if it does not
 * exist.
 */
export declare function directorySamples(path: string): SampleStore;
