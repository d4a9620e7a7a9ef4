import type {
  BigModel,
  Detections,
  Estimator,
  Frame,
  HardExampleMiner,
  JointPolicy,
  JointResult,
  JointStatistics,
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

/** Where the little model comes from. */
export type ModelSettings<Result> =
  /** A signed model, kept on the device, updated while frames flow. */
  | {
      readonly manifest: string | URL;
      readonly keys: readonly PublicKey[];
      /**
       * The model's name in its manifest. Without it the first one that is seen is taken, and no other from
       * then on.
       */
      readonly name?: string;
      readonly update?: UpdateSettings<Result>;
    }
  /** A model that the app brings along and vouches for. */
  | {
      readonly file: ModelSource;
      readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
      readonly name?: string;
      /**
       * Node: later versions are those that Sedna's local controller lays beside this worker, which nobody
       * signs.
       */
      readonly sedna?: {
        /** Path of `model_config.json`. */ readonly configPath: string;
        readonly trustLocalFiles: true;
        readonly update?: UpdateSettings<Result>;
      };
    }
  /** Anything that answers. The agent runs it as it is, and disposes it at the end. */
  | { readonly estimator: Estimator<Frame, Result> };

/** How new versions have to prove themselves, and by what. */
export interface UpdateSettings<Result> extends UpdaterSettings {
  /** How much two results of one frame agree, in [0,1]. Default: by the kind of the result. */
  readonly agreement?: (candidate: Result, current: Result) => number;
  /** Watched after the swap; larger is better, NaN is not known. */
  readonly metric?: () => number;
}

/** Where hard examples go, and how many may wait. */
export interface SampleSettings extends Pick<
  OpenQueueOptions,
  "maxItems" | "maxBytes" | "ttlMs" | "whenFull"
> {
  /** The cloud whose `/v1/samples` takes them. */
  readonly url: string | URL;
  readonly token?: string;
  /** Samples sent a second at most, also after hours offline. Default 5. */
  readonly maxPerSecond?: number;
}

/** Reports to Sedna's local controller. */
export interface ReportSettings {
  /** Such as `http://127.0.0.1:9100`. */
  readonly url: string | URL;
  /** This worker's name there. Default: the agent's name. */
  readonly worker?: string;
  readonly namespace?: string;
  /** The service that the numbers are for. Default: the agent's name. */
  readonly ownerName?: string;
  readonly ownerKind?: string;
  /** Time between reports, in ms. Default 30000, Sedna's LC_PERIOD. */
  readonly periodMs?: number;
}

/** Options of `createEdgeAgent`. */
export interface EdgeAgentOptions<Result = Detections> {
  /** The job: letters, digits, ".", "_", "-". What is stored on the device is stored under it. */
  readonly name: string;
  /** Opens the source of frames: called at the start, and again after a failure. */
  readonly source: () => SampleSource<Frame>;
  readonly model: ModelSettings<Result>;
  /**
   * Makes a Worker that calls `exposeModelHost()`; each model gets one of its own. Node has one ready; a page
   * must bring it.
   */
  readonly createWorker?: () => unknown;
  /** Default: what pays on this device, best first. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** CPU threads of a model, in Node. Default 1. */
  readonly threads?: number;
  /** A run that takes longer is a hung Worker. Default: by the durations of former runs, 5 to 60 s. */
  readonly runTimeoutMs?: number;
  /** A miner, or its name: then the model's own thresholds are its parameters where none are given. */
  readonly hardExampleMining?: HardExampleMiner<Result> | Selection;
  readonly bigModel?: BigModel<Frame, NoInfer<Result>>;
  /** Default `joint`. */
  readonly policy?: JointPolicy;
  readonly deadlineMs?: number;
  /** What may leave the device. Default `{ level: "features" }`: no pixels. */
  readonly privacy?: PrivacyPolicy<Frame, NoInfer<Result>>;
  readonly samples?: SampleSettings;
  readonly report?: ReportSettings;
  /**
   * Asks the browser not to clear models and queue when its disk is short. Firefox asks the visitor, so it is
   * off by default.
   */
  readonly persist?: boolean;
  /** Node: where models and the queue are kept. Default `.sedna/<name>`. */
  readonly directory?: string;
  readonly fetch?: typeof globalThis.fetch;
}

/** How an agent is doing, as plain data. */
export interface AgentStatus {
  readonly name: string;
  readonly state: "idle" | "running" | "stopped";
  /** False while another tab leads this job. */
  readonly leads: boolean;
  readonly startedAt: number | null;
  readonly model: { readonly name: string; readonly version: number; readonly backend: Backend } | null;
  readonly source: { readonly state: "closed" | "open" | "failed"; readonly error?: string };
  readonly joint: JointStatistics;
  readonly queue: QueueStatistics | null;
  /** Of the last failure of anything, for people. */
  readonly lastError: {
    readonly at: number;
    readonly event: AgentEvent["type"];
    readonly error: PlainError;
  } | null;
}

/** An edge that carries on by itself; see `createEdgeAgent`. */
export interface EdgeAgent<Result = Detections> extends AsyncDisposable {
  /**
   * Answers the source until it ends or `signal` stops it, and keeps everything else going meanwhile: the
   * model, its updates, the queue, the reports. One run at a time.
   */
  run(options?: RunOptions): AsyncIterableIterator<JointResult<Result, Frame>>;
  /** Hears everything; returns the function that ends it. */
  on(listener: (event: AgentEvent) => void): () => void;
  status(): AgentStatus;
  /** Looks for a new version now, as the poll would. Resolves when it is taken or refused. */
  update(): Promise<void>;
  /** Goes back to the last good version and marks the current one bad. */
  rollback(): Promise<void>;
  /** Sends what waits, as far as the network allows, until `signal` says stop. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Ends a run, sends a last report, closes everything within `deadlineMs` (default 5000). Calling it again
   * waits for the same end.
   */
  stop(options?: { readonly deadlineMs?: number }): Promise<void>;
}
