import type { JointPolicy } from "@sedna-js/core";
import type { PublicKey } from "@sedna-js/core/wire";
import type { PrivacyLevel } from "../privacy/privacy-policy.ts";
import type { WhenFull } from "../queue/durable-queue.ts";

/** Where a job's frames come from. */
export type JobSource =
  | {
      readonly rtsp: string;
      /** Frames a second; default: all. */ readonly fps?: number;
      /** Pixels; default: the camera's. */ readonly width?: number;
    }
  | { readonly file: string; /** Default 5. */ readonly fps: number; readonly width?: number }
  | {
      readonly directory: string;
      /** Waits for new files when it has read those that are there. Default true. */ readonly watch: boolean;
    }
  | { /** Such as `/dev/video0`. */ readonly webcam: string; readonly fps?: number; readonly width?: number };

/** Where a job's little model comes from. */
export type JobModel =
  /** A signed one: the URL of its manifest, and the keys that may sign. */
  | { readonly manifest: string; readonly keys: readonly PublicKey[]; readonly name?: string }
  /** A file without a signature. Its owner vouches for it by naming it here. */
  | {
      readonly file: string;
      readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
    };

/** What a device does, as its owner writes it down; see docs/edge-device.md. */
export interface EdgeJob {
  readonly name: string;
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
    readonly whenFull?: WhenFull;
  };
  readonly update?: {
    readonly pollSeconds?: number;
    /** Sedna's model_config.json: the files that it names are not signed. */
    readonly sednaConfig?: string;
    /** That whoever can write those files is trusted, said in so many words. */
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
  /** Where models and the queue are kept. */
  readonly data?: string;
  /** `json`: a line on standard output for every answer. */
  readonly output: "none" | "json";
}
