import type { JointPolicy } from "@sedna-js/core";
import type { PublicKey } from "@sedna-js/core/wire";
import type { PrivacyLevel } from "../privacy/privacy-policy.ts";
import type { OverflowPolicy } from "../queue/durable-queue.ts";

/** The source of a job's frames. */
export type JobSource =
  | {
      readonly rtsp: string;
      /** Frames per second. Default: all frames. */ readonly fps?: number;
      /** Width of the frames, in pixels. Default: the camera's width. */ readonly width?: number;
    }
  | {
      readonly file: string;
      /** Frames per second of video. Default 5. */ readonly fps: number;
      readonly width?: number;
    }
  | {
      readonly directory: string;
      /** Whether to wait for new files after the existing ones are read. Default true. */
      readonly watch: boolean;
    }
  | { /** Such as `/dev/video0`. */ readonly webcam: string; readonly fps?: number; readonly width?: number };

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
