import type { Frame, SampleSource } from "@sedna-js/core";

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
  /**
   * The source fails when a frame is so many ms late; at a low `fps` frames are due seldom. Default 10000.
   */
  readonly stallMs?: number;
  /** The program. Default `ffmpeg`, found by PATH; 5.1 or newer. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
}

/** Options of {@link rtsp}. */
export interface RtspOptions extends FfmpegCameraOptions {
  /**
   * `rtsp://user:password@host/path`, or rtsps. It is an argument of ffmpeg: who may list this machine's
   * processes sees it. Errors show it without the password.
   */
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
   * Told of a file that cannot be read as a picture, which is then left out; `watch`: of the directory too,
   * once, while it cannot be read. Without it either ends the run.
   */
  readonly onSkip?: (event: { readonly path: string; readonly error: unknown }) => void;
  readonly signal?: AbortSignal;
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

/**
 * The frames of WebCodecs: of a `MediaStreamTrackProcessor`, a decoder, or your own. It owns them from here
 * on. Browsers only.
 */
export declare function videoFrames(frames: unknown, options?: VideoFramesOptions): SampleSource<Frame>;

/**
 * The frames of a camera on the network, live, through a child `ffmpeg`. Timestamps count from its start.
 * Node only.
 */
export declare function rtsp(options: RtspOptions): SampleSource<Frame>;

/**
 * The frames of a camera on this machine, live, through a child `ffmpeg`. Timestamps count from its start.
 * Node only.
 */
export declare function webcam(options?: WebcamOptions): SampleSource<Frame>;

/**
 * The pictures of a directory in the order of their names; with `watch` then those that come, each once for
 * as long as it stays what it was, also when the directory is removed and comes back. Node only; needs
 * `sharp`.
 */
export declare function directory(path: string, options?: DirectoryOptions): SampleSource<Frame>;
