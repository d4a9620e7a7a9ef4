import type { SampleStore } from "./sample-store.ts";

/** Samples as files of one directory, which is made where there is none. */
export declare function directorySamples(path: string): SampleStore;
