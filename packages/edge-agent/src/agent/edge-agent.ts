import type {
  BigModel,
  Detections,
  Estimator,
  Frame,
  HardExampleMiner,
  JointPolicy,
  JointResult,
  JointStatus,
  Paradigm,
  PlainError,
  RunOptions,
  SampleSource,
  Selection,
} from "@sedna-js/core";
import type { PublicKey } from "@sedna-js/core/wire";
import type { ExecutionProvider, ModelSource } from "../onnx/platform.ts";
import type { PrivacyPolicy } from "../privacy/privacy-policy.ts";
import type { OpenQueueOptions } from "../queue/open-queue.ts";
import type { QueueStatistics } from "../queue/durable-queue.ts";
import type { Backend } from "../supervisor/supervised-model.ts";
import type { UpdaterSettings } from "../updates/updater-settings.ts";
import type { AgentEvent } from "./agent-events.ts";

/** Source of the local model. */
export type ModelSettings<Result> =
  /** A signed model, stored on the device and updated while frames flow. */
  | {
      readonly manifest: string | URL;
      readonly keys: readonly PublicKey[];
      /**
       * Name of the model in its manifest. Default: the name in the first manifest; manifests with another
       * name are rejected from then on.
       */
      readonly name?: string;
      readonly update?: UpdateSettings<Result>;
    }
  /** A model that the app provides and vouches for. */
  | {
      readonly file: ModelSource;
      readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
      readonly name?: string;
      /** Node: later versions are unsigned and come from Sedna's local controller on the same host. */
      readonly sedna?: {
        /** Path of `model_config.json`. */ readonly configPath: string;
        readonly trustLocalFiles: true;
        readonly update?: UpdateSettings<Result>;
      };
    }
  /** Any estimator. The agent runs it unchanged, and disposes it at the end. */
  | { readonly estimator: Estimator<Frame, Result> };

/** How new versions are evaluated before and after the swap. */
export interface UpdateSettings<Result> extends UpdaterSettings {
  /** Agreement of two results for the same frame, in [0,1]. Default: depends on the kind of the result. */
  readonly agreement?: (candidate: Result, current: Result) => number;
  /** Metric monitored after the swap. Larger is better; NaN means unknown. */
  readonly metric?: () => number;
}

/** Destination of hard examples and limits of their queue. */
export interface SampleSettings extends Pick<
  OpenQueueOptions,
  "maxItems" | "maxBytes" | "ttlMs" | "whenFull"
> {
  /** URL of the cloud that receives samples at `/v1/samples`. */
  readonly url: string | URL;
  readonly token?: string;
  /** Maximum number of samples sent per second, also after hours offline. Default 5. */
  readonly maxPerSecond?: number;
}

/** Settings of the reports to Sedna's local controller. */
export interface ReportSettings {
  /** URL of the local controller, such as `http://127.0.0.1:9100`. */
  readonly url: string | URL;
  /** Name of this worker in the reports. Default: the agent's name. */
  readonly worker?: string;
  readonly namespace?: string;
  /** Name of the service that the statistics belong to. Default: the agent's name. */
  readonly ownerName?: string;
  readonly ownerKind?: string;
  /** Time between reports, in ms. Default 30000, Sedna's LC_PERIOD. */
  readonly periodMs?: number;
}

/** Options of `createEdgeAgent`. */
export interface EdgeAgentOptions<Result = Detections> {
  /** Name of the job: letters, digits, ".", "_", "-". Data on the device is stored under this name. */
  readonly name: string;
  /** Opens the source of frames. Called at the start, and again after a failure. */
  readonly source: () => SampleSource<Frame>;
  readonly model: ModelSettings<Result>;
  /**
   * Creates a Worker that calls `exposeModelHost()`. Each model gets its own Worker. Node has a built-in one;
   * a page must provide it.
   */
  readonly createWorker?: () => unknown;
  /** Execution providers, in order of preference. Default: the useful ones of this device, fastest first. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** CPU threads of a model, in Node. Default 1. */
  readonly threads?: number;
  /**
   * Time after which a run counts as hung, in ms. Default: derived from the durations of earlier runs, 5 to
   * 60 s.
   */
  readonly runTimeoutMs?: number;
  /** A miner, or its name. A named miner without parameters uses the model's thresholds. */
  readonly hardExampleMining?: HardExampleMiner<Result> | Selection;
  readonly bigModel?: BigModel<Frame, NoInfer<Result>>;
  /** Joint inference policy. Default `joint`. */
  readonly policy?: JointPolicy;
  readonly deadlineMs?: number;
  /** What may leave the device. Default `{ level: "features" }`: no pixels. */
  readonly privacy?: PrivacyPolicy<Frame, NoInfer<Result>>;
  readonly samples?: SampleSettings;
  readonly report?: ReportSettings;
  /**
   * Asks the browser to keep models and queue when its disk is short. Firefox prompts the user, so the
   * default is off.
   */
  readonly persist?: boolean;
  /** Node: directory of the models and the queue. Default `.sedna/<name>`. */
  readonly directory?: string;
  readonly fetch?: typeof globalThis.fetch;
}

/** Status of an agent, as plain data. */
export interface AgentStatus {
  readonly name: string;
  readonly state: "idle" | "running" | "stopped";
  /** `false` while another tab leads this job. */
  readonly leads: boolean;
  readonly startedAt: number | null;
  readonly model: { readonly name: string; readonly version: number; readonly backend: Backend } | null;
  readonly source: { readonly state: "closed" | "open" | "failed"; readonly error?: string };
  readonly joint: JointStatus;
  readonly queue: QueueStatistics | null;
  /** The last failure of any part, for display. */
  readonly lastError: {
    readonly at: number;
    readonly event: AgentEvent["type"];
    readonly error: PlainError;
  } | null;
}

/** An autonomous edge agent; see `createEdgeAgent`. */
export interface EdgeAgent<Result = Detections> extends Paradigm<
  [],
  JointResult<Result, Frame>,
  AgentStatus,
  AgentEvent
> {
  /**
   * Runs joint inference on the source until it ends or `signal` aborts, and keeps the model, its updates,
   * the queue, and the reports running meanwhile. Only one run at a time.
   */
  run(options?: RunOptions): AsyncIterableIterator<JointResult<Result, Frame>>;
  /** Checks for a new version now, as the poller does. Resolves when the version is installed or rejected. */
  update(): Promise<void>;
  /** Rolls back to the last known good version and marks the current one as bad. */
  rollback(): Promise<void>;
  /** Sends pending items as far as the network allows, until `signal` aborts. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Ends the run, sends a last report, and closes everything within `deadlineMs` (default 5000). Further
   * calls wait for the same end.
   */
  dispose(options?: { readonly deadlineMs?: number }): Promise<void>;
}
