import type { Frame, SampleSource } from "@sedna-js/core";

/** Options of {@link camera}. */
export interface CameraOptions {
  /** Constraints of `getUserMedia`, such as `{ width: 1280, facingMode: "environment" }`. */
  readonly video?: Readonly<Record<string, unknown>>;
  /** A `<video>` element to show the video in. Without it, the video is not shown. */
  readonly element?: unknown;
  readonly signal?: AbortSignal;
}

/** Options of {@link videoFile}. */
export interface VideoFileOptions {
  /** In browsers a URL, or a `File` or other `Blob`. In Node a path, or a file, http, or https URL. */
  readonly source: unknown;
  /** Frames to take per second of video. */
  readonly fps: number;
  /** Node: width of the frames in pixels. The height is scaled in proportion. Default: the video's width. */
  readonly width?: number;
  /** Node: path of the ffmpeg program. Default `ffmpeg`, found in PATH. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
}

/** Options that {@link rtsp} and {@link webcam} share. */
export interface FfmpegCameraOptions {
  /** Maximum frames per second. Default: the camera's rate. */
  readonly fps?: number;
  /** Width of the frames in pixels. The height is scaled in proportion. Default: the camera's width. */
  readonly width?: number;
  /**
   * Time after which a late frame fails the source, in ms, in addition to the interval between frames at a
   * set `fps`. Default 10000.
   */
  readonly stallMs?: number;
  /** Path of the ffmpeg program, 5.1 or newer. Default `ffmpeg`, found in PATH. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
}

/** Options of {@link rtsp}. */
export interface RtspOptions extends FfmpegCameraOptions {
  /**
   * `rtsp://user:password@host/path`, or rtsps. The URL is an argument of ffmpeg, so every user who can list
   * this machine's processes can read it. Errors show it without the password.
   */
  readonly url: string | URL;
  /** Transport of the video. Default `tcp`, which loses no packets. */
  readonly transport?: "tcp" | "udp";
}

/** Options of {@link webcam}. */
export interface WebcamOptions extends FfmpegCameraOptions {
  /** Linux: default `/dev/video0`. macOS: default `0`. Windows: the camera's name, required. */
  readonly device?: string;
}

/** Options of {@link videoFrames}. */
export interface VideoFramesOptions {
  /** Whether to drop frames that are not requested in time, as for a camera. Default true. */
  readonly live?: boolean;
  readonly signal?: AbortSignal;
}

/** Options of {@link directory}. */
export interface DirectoryOptions {
  /** Whether to continue with images that are added later, until `signal` is aborted. Default false. */
  readonly watch?: boolean;
  /** With `watch`: time without changes after which a file is complete, in ms. Default 500. */
  readonly settleMs?: number;
  /** With `watch`: whether to delete an image when the next one is requested. Default false. */
  readonly remove?: boolean;
  /**
   * Called with a file that cannot be read as an image and is skipped. With `watch`, also called once while
   * the directory cannot be read, and when a file cannot be removed. Without this callback, each of these
   * errors ends the source.
   */
  readonly onSkip?: (event: { readonly path: string; readonly error: unknown }) => void;
  readonly signal?: AbortSignal;
}

/**
 * Returns the frames of a playing `<video>`, live: frames that are not requested in time are dropped.
 * Browsers only.
 */
export declare function videoElement(
  element: unknown,
  options?: { readonly signal?: AbortSignal },
): SampleSource<Frame>;

/** Returns the frames of a camera through `getUserMedia`, live. Browsers only. */
export declare function camera(options?: CameraOptions): SampleSource<Frame>;

/**
 * Returns the frames of a video file at a fixed rate, without dropping any. In Node through a child `ffmpeg`.
 */
export declare function videoFile(options: VideoFileOptions): SampleSource<Frame>;

/**
 * Returns the frames of WebCodecs: from a `MediaStreamTrackProcessor`, a decoder, or another stream. The
 * source takes ownership of the frames. Browsers only.
 */
export declare function videoFrames(frames: unknown, options?: VideoFramesOptions): SampleSource<Frame>;

/**
 * Returns the frames of a network camera, live, through a child `ffmpeg`. Timestamps count from its start.
 * Node only.
 */
export declare function rtsp(options: RtspOptions): SampleSource<Frame>;

/**
 * Returns the frames of a camera on this machine, live, through a child `ffmpeg`. Timestamps count from its
 * start. Node only.
 */
export declare function webcam(options?: WebcamOptions): SampleSource<Frame>;

/**
 * Returns the images of a directory in the order of their names. With `watch`, continues with new and changed
 * images, each version once, also after the directory is removed and created again. Node only; requires
 * `sharp`.
 */
export declare function directory(path: string, options?: DirectoryOptions): SampleSource<Frame>;
