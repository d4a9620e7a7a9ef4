import type { Frame, OrtModule, Pixels, SampleSource } from "@sedna-js/core";
import type { ModelStore, VerifiedModel } from "../models/model-store.ts";
import type { DiagnoseOptions } from "../telemetry/doctor.ts";
import type { HealthCheck } from "../telemetry/health-check.ts";
import type { DeviceIdentityOptions, DeviceKey } from "../federation/device-identity.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import type { QueueStore } from "../queue/queue-store.ts";
import type { PauseReason, PauseSettings } from "../training/training-pauses.ts";

// What each platform provides. Both files, platform.browser.ts and platform.node.ts, export all of it; what a
// platform cannot do throws an error that says so and names what can.

/** Where a model comes from: a URL or path, or its bytes. */
export type ModelSource = string | URL | Uint8Array;

/** Execution providers of ONNX Runtime that we ask for. */
export type ExecutionProvider = "webgpu" | "wasm" | "cpu";

/** Options of {@link camera}. */
export interface CameraOptions {
  /** Constraints of `getUserMedia`, such as `{ width: 1280, facingMode: "environment" }`. */
  readonly video?: Readonly<Record<string, unknown>>;
  /** A `<video>` that shows the picture; without one it stays invisible. */
  readonly element?: unknown;
  readonly signal?: AbortSignal;
}

/** Options of {@link videoFile}. */
export interface VideoFileOptions {
  /** In browsers a URL, or a `File` or other `Blob`. In Node a path, or a URL of file, http or https. */
  readonly source: unknown;
  /** Frames to take per second of video. */
  readonly fps: number;
  /** Node: width of the frames in pixels, their height in proportion. Default: as they are. */
  readonly width?: number;
  /** Node: the program. Default `ffmpeg`, found by PATH. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
}

/** What {@link rtsp} and {@link webcam} have in common. */
export interface FfmpegCameraOptions {
  /** Frames a second at most; without it, as many as the camera sends. */
  readonly fps?: number;
  /** Width of the frames in pixels, their height in proportion. Default: as they come. */
  readonly width?: number;
  /** The source fails when a frame is so many ms late; at a low `fps` frames are due seldom. Default 10000. */
  readonly stallMs?: number;
  /** The program. Default `ffmpeg`, found by PATH; 5.1 or newer. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
}

/** Options of {@link rtsp}. */
export interface RtspOptions extends FfmpegCameraOptions {
  /** `rtsp://user:password@host/path`, or rtsps. It is an argument of ffmpeg: who may list this machine's processes sees it. Errors show it without the password. */
  readonly url: string | URL;
  /** How pictures travel. Default `tcp`, which loses none. */
  readonly transport?: "tcp" | "udp";
}

/** Options of {@link webcam}. */
export interface WebcamOptions extends FfmpegCameraOptions {
  /** Linux: default `/dev/video0`. macOS: default `0`. Windows: the camera's name. */
  readonly device?: string;
}

/** Options of {@link videoFrames}. */
export interface VideoFramesOptions {
  /** Whether frames that nobody waits for are lost, as of a camera. Default true. */
  readonly live?: boolean;
  readonly signal?: AbortSignal;
}

/** Options of {@link directory}. */
export interface DirectoryOptions {
  /** Goes on with pictures that come later, until the signal ends it. Default false. */
  readonly watch?: boolean;
  /** `watch`: a file is complete when it has not changed for so many ms. Default 500. */
  readonly settleMs?: number;
  /** `watch`: deletes a picture when the next is asked for. Default false. */
  readonly remove?: boolean;
  /**
   * Told of a file that cannot be read as a picture, which is then left out; `watch`: of the directory too, once, while it
   * cannot be read. Without it either ends the run.
   */
  readonly onSkip?: (event: { readonly path: string; readonly error: unknown }) => void;
  readonly signal?: AbortSignal;
}

/** Options of {@link sednaModelStore}. */
export interface SednaModelStoreOptions {
  /** Path of `model_config.json`: Sedna's MODEL_HOT_UPDATE_CONFIG. */
  readonly configPath: string;
  /** The model that runs now. A new file is taken for another training of it: same inputs, outputs, task, labels. */
  readonly base: VerifiedModel;
  /** Nobody signs these files: say that whoever can write them is trusted. */
  readonly trustLocalFiles: boolean;
}

/** The frames of a playing `<video>`, live: a frame that nobody waits for is lost. Browsers only. */
export declare function videoElement(
  element: unknown,
  options?: { readonly signal?: AbortSignal },
): SampleSource<Frame>;

/** The frames of a camera through `getUserMedia`, live. Browsers only. */
export declare function camera(options?: CameraOptions): SampleSource<Frame>;

/** The frames of a video file at a fixed rate, each of them. In Node through a child `ffmpeg`. */
export declare function videoFile(options: VideoFileOptions): SampleSource<Frame>;

/** The frames of WebCodecs: of a `MediaStreamTrackProcessor`, a decoder, or your own. It owns them from here on. Browsers only. */
export declare function videoFrames(frames: unknown, options?: VideoFramesOptions): SampleSource<Frame>;

/** The frames of a camera on the network, live, through a child `ffmpeg`. Timestamps count from its start. Node only. */
export declare function rtsp(options: RtspOptions): SampleSource<Frame>;

/** The frames of a camera on this machine, live, through a child `ffmpeg`. Timestamps count from its start. Node only. */
export declare function webcam(options?: WebcamOptions): SampleSource<Frame>;

/**
 * The pictures of a directory in the order of their names; with `watch` then those that come, each once for as long
 * as it stays what it was, also when the directory is removed and comes back. Node only; needs `sharp`.
 */
export declare function directory(path: string, options?: DirectoryOptions): SampleSource<Frame>;

/**
 * The models that Sedna's local controller lays beside a worker, as a store that an updater takes them from. Node only.
 * @throws {SednaError} `model-untrusted` without `trustLocalFiles`.
 */
export declare function sednaModelStore(options: SednaModelStoreOptions): ModelStore;

/** Decodes JPEG, PNG or WebP. In Node with `sharp`. */
export declare function decodeImage(bytes: Uint8Array): Promise<Frame>;

/** Pixels as a frame that can be encoded. In Node with `sharp`. The pixels must not change afterwards. */
export declare function frameOfPixels(
  pixels: Pixels,
  options?: { readonly timestamp?: number },
): Promise<Frame>;

/** Imports the ONNX Runtime that serves these providers, and only that one. */
export declare function importOnnxRuntime(providers: readonly ExecutionProvider[]): Promise<OrtModule>;

/** The providers that pay on this machine, best first: WebGPU only where it is not emulated. */
export declare function defaultProviders(): Promise<readonly ExecutionProvider[]>;

/** Options for `InferenceSession.create` on this platform. */
export declare function sessionOptions(options: {
  readonly threads?: number;
}): Readonly<Record<string, unknown>>;

/** Reads a model's bytes. */
export declare function readModel(
  source: ModelSource,
  options: { readonly signal?: AbortSignal },
): Promise<Uint8Array>;

/** A frame on its way to a Worker. */
export interface SharedFrame {
  readonly handle: unknown;
  readonly transfer: readonly unknown[];
  /** Gives back what was shared, where it was not posted after all. */
  close(): void;
}

/** A frame as something to post to a Worker: its pixels are handed over, not copied, where the platform can. */
export declare function shareFrame(frame: Frame): Promise<SharedFrame>;

/** The frame that {@link shareFrame} posted. */
export declare function receiveFrame(handle: unknown): Frame;

/** A Worker as comlink wants it. */
export declare function workerEndpoint(worker: unknown): unknown;

/** Inside a Worker: the end that talks to its owner. */
export declare function ownerEndpoint(): unknown;

/** A Worker that calls `exposeModelHost()`. Node only: a page brings its own, which its bundler can see. */
export declare function defaultModelWorker(): unknown;

/** Whether the GPU that WebGPU would give now computes in float16. */
export declare function hasShaderF16(): Promise<boolean>;

/** Inside a Worker: holds a name for as long as the Worker lives, for {@link lifeEnded} to tell. Resolves when it is held. */
export declare function holdLife(name: string): Promise<void>;

/**
 * Resolves when the Worker is gone that holds this name. Browsers tell of no Worker that they end themselves; where
 * there are no Web Locks either, and in Node, which tells it by an event, it never resolves. Rejects when `signal` says stop.
 */
export declare function lifeEnded(name: string, options: { readonly signal: AbortSignal }): Promise<void>;

/** Tells of a Worker's death; returns a function that stops listening. */
export declare function onWorkerFailure(worker: unknown, listener: (error: Error) => void): () => void;

/** What {@link watchPauses} watches for. */
export interface PauseWatch {
  readonly settings: PauseSettings;
  /** Told what holds now, and when that changes. */
  readonly tell: (reason: PauseReason, isActive: boolean) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Tells when this platform says that it is no time to train. */
export declare function watchPauses(watch: PauseWatch): void;

/** Resolves in a task of its own: what came meanwhile, messages too, comes first. */
export declare function nextTask(): Promise<void>;

/** Ends a Worker and gives back its memory. */
export declare function terminateWorker(worker: unknown): Promise<void>;

/** Options of {@link openQueueStore}. */
export interface QueueStoreOptions {
  /** Of the IndexedDB database. Browsers. */
  readonly name: string;
  /** Where the log is kept. Node. */
  readonly directory?: string;
  /** What an acknowledged item survives in Node: the death of the process (default), or the loss of power too. */
  readonly durability?: "process" | "power";
}

/**
 * Where a queue keeps what waits, on this platform: a directory in Node, IndexedDB in browsers. `openQueue` opens it.
 * @throws {TypeError} in Node, without a directory.
 */
export declare function openQueueStore(options: QueueStoreOptions): QueueStore;

/** Asks the browser not to clear what is stored when its disk is short; Firefox asks the visitor. False where it will not promise. In Node nothing is cleared. */
export declare function keepStorage(): Promise<boolean>;

/** Options of {@link becomeLeader}. */
export interface LeadershipOptions {
  readonly name: string;
  /** Ends the wait, or the leadership. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when nothing else leads by this name, and leads until the signal is aborted or the page is gone. Of several tabs one leads;
 * when it ends the next does at once. In Node at once: the lock of the queue's directory does the same there.
 *
 * @throws the signal's reason when it is aborted before.
 * @throws {SednaError} `unsupported-platform` in a browser without Web Locks.
 */
export declare function becomeLeader(options: LeadershipOptions): Promise<void>;

/** What the doctor finds in this platform, without the servers. */
export declare function platformChecks(options: DiagnoseOptions): Promise<readonly HealthCheck[]>;

/** SHA-256 of bytes that come in pieces. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Ends it: 64 digits in lower case. */
  hex(): string;
}

/** A new SHA-256. */
export declare function sha256(): Sha256;

/** Options of {@link openByteStore}. */
export interface ByteStoreOptions {
  /** Of the folder or cache. Browsers. */
  readonly name: string;
  /** Where the files are kept. Node. */
  readonly directory: string;
  /** Told when something is kept in memory only, because the browser's storage has no room. */
  readonly onDegraded?: (event: { readonly key: string; readonly error: unknown }) => void;
}

/** Bytes on this platform's disk: files in Node; in browsers the private file system, else a cache, else memory. */
export declare function openByteStore(options: ByteStoreOptions): Promise<ByteStore>;

/** A WebSocket as browsers have it; `terminate` is Node's, which waits for no farewell. */
export interface ClientSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  terminate?(): void;
  addEventListener(
    type: "open" | "message" | "close" | "error",
    listener: (event: { readonly data?: unknown; readonly code?: number; readonly reason?: string }) => void,
  ): void;
}

/** Begins to connect: the browser's own WebSocket, in Node that of `ws`. */
export declare function openClientSocket(
  url: string,
  options: { readonly maxMessageBytes: number },
): Promise<ClientSocket>;

/**
 * This device's key, made where there is none: in browsers in IndexedDB, where no script can read it out; in Node a file
 * for its owner alone.
 * @throws {TypeError} in Node, without a directory. {SednaError} `unsupported-platform`, `storage-failed`.
 */
export declare function openDeviceKey(options: DeviceIdentityOptions): Promise<DeviceKey>;
