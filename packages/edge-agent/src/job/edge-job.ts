import type { JointPolicy } from "@sedna-js/core";
import type { PublicKey } from "@sedna-js/core/wire";
import type { PrivacyLevel } from "../privacy/privacy-policy.ts";
import type { JobSource } from "./job-source-kind.ts";
import type { OverflowPolicy } from "../queue/durable-queue.ts";

/** The source of a job's little model. */
export type JobModel =
  /** A signed model: the URL of its manifest and the public keys that may sign it. */
  | { readonly manifest: string; readonly keys: readonly PublicKey[]; readonly name?: string }
  /** An unsigned file. The owner vouches for it by naming it here. */
  | {
      readonly file: string;
      readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
    };

/** A device's job, as its owner writes it. See docs/edge-device.md. */
export interface EdgeJob {
  readonly name: string;
  /** The source of the frames: the settings of one row of `jobSources`. */
  readonly source: JobSource;
  readonly model: JobModel;
  readonly hardExampleMining?: {
    readonly method: string;
    readonly param?: Readonly<Record<string, unknown>>;
  };
  readonly bigModel?: {
    readonly url: string;
    readonly model?: string;
    readonly protocol?: "sedna" | "oip";
    readonly token?: string;
  };
  readonly policy?: JointPolicy;
  readonly deadlineMs?: number;
  /** CPU threads of the model. */
  readonly threads?: number;
  readonly privacy: { readonly level: PrivacyLevel };
  readonly samples?: {
    readonly url: string;
    readonly token?: string;
    readonly maxItems?: number;
    readonly maxMegabytes?: number;
    readonly ttlHours?: number;
    readonly whenFull?: OverflowPolicy;
  };
  readonly update?: {
    readonly pollSeconds?: number;
    /** Path of Sedna's model_config.json. The files that it names are not signed. */
    readonly sednaConfig?: string;
    /** Must be `true` with `sednaConfig`, to state that everyone who can write those files is trusted. */
    readonly trustLocalFiles?: boolean;
  };
  readonly report?: {
    readonly sednaLocalController: string;
    readonly worker?: string;
    readonly namespace?: string;
    readonly ownerName?: string;
    readonly ownerKind?: string;
    readonly periodSeconds?: number;
  };
  readonly status: { readonly port: number; readonly host: string };
  /** Directory for models and the queue. */
  readonly data?: string;
  /** `json`: writes each result as a line of JSON to standard output. */
  readonly output: "none" | "json";
}
