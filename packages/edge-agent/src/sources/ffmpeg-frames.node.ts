import { SednaError, WireError, type Frame, type SampleSource } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { latest } from "@sedna-js/core/async";
import { importSharp } from "../frames/decode-image.node.ts";
import { startFfmpeg, type FfmpegEnd, type FfmpegProcess } from "./ffmpeg-process.node.ts";
import { pamParser } from "./pam-parser.ts";
import { stoppable } from "./stoppable.ts";

/** Options of {@link ffmpegFrames}. */
export interface FfmpegFramesOptions {
  /** Action for error messages, such as "read rtsp://camera". Must not contain credentials. */
  readonly action: string;
  /** ffmpeg's input options and input, up to and including `-i INPUT`. */
  readonly input: readonly string[];
  /**
   * Whether the source is live: it yields only the latest frame, drops older ones, and fails when the stream
   * ends.
   */
  readonly live: boolean;
  /** Frames per second. Default: every frame. */
  readonly fps?: number;
  /** Width of the frames in pixels; the height is scaled in proportion. Default: the size of the source. */
  readonly width?: number;
  /**
   * Time by which a frame may be late before the source fails, in ms. At a low `fps` the interval between
   * frames is added. Default 10000.
   */
  readonly stallMs?: number;
  /** ffmpeg executable. Default `ffmpeg`, found in PATH. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
}

/** Maximum delay of a timer, in ms. */
const MAX_MS = 2 ** 31 - 1;

/**
 * Reads frames that a child process `ffmpeg` decodes. The process starts when the first frame is requested
 * and ends when the reader stops. Requires ffmpeg 5.1 or newer.
 *
 * If a stream changes its size, ffmpeg scales later frames to the first size, so all frames have the same
 * size.
 *
 * @throws {RangeError} If an option is out of range, before reading.
 * @throws {SednaError} While reading: `missing-dependency` without ffmpeg; `source-failed` if ffmpeg fails or
 * stalls, retryable if the source is live.
 */
export function ffmpegFrames({
  action,
  input,
  live,
  fps,
  width,
  stallMs = 10_000,
  ffmpeg = "ffmpeg",
  signal,
}: FfmpegFramesOptions): SampleSource<Frame> {
  if (fps !== undefined && !(fps > 0 && fps < Infinity))
    throw new RangeError(`${action}: expected fps above 0; got ${fps}`);
  if (width !== undefined && !(Number.isInteger(width) && width > 0 && width <= 16_384))
    throw new RangeError(`${action}: expected width as an integer from 1 to 16384; got ${width}`);
  if (!(stallMs > 0 && stallMs < 2 ** 31))
    throw new RangeError(
      `${action}: expected stallMs as a positive number of milliseconds below 2147483648; got ${stallMs}`,
    );

  const waitMs = Math.min(MAX_MS, stallMs + (fps === undefined ? 0 : Math.ceil(1000 / fps)));
  // Apply the rate first: dropped frames need no scaling.
  const filters = [
    ...(fps === undefined ? [] : [`fps=${fps}`]),
    ...(width === undefined ? [] : [`scale=${width}:-1`]),
  ];
  const filter = filters.length === 0 ? [] : ["-vf", filters.join(",")];
  const output = [
    "-map",
    "0:v:0",
    "-an",
    "-sn",
    "-dn",
    ...filter,
    "-fps_mode",
    "passthrough",
    "-pix_fmt",
    "rgba",
    "-c:v",
    "pam",
    "-flush_packets",
    "1",
    "-f",
    "image2pipe",
    "pipe:1",
  ];

  return stoppable(
    async function* (stop) {
      if (stop.aborted) return;
      const child = startFfmpeg([...input, ...output], { ffmpeg, action });
      const end = (): void => void child.stop();
      stop.addEventListener("abort", end, { once: true });
      try {
        const frames = decoded(child, { action, live, fps, waitMs, stop });
        // Read continuously, so that neither the pipe nor the camera's own queue fills with old frames.
        yield* live ? latest(frames, { onDrop: (frame) => frame.close() }) : frames;
      } finally {
        stop.removeEventListener("abort", end);
        await child.stop();
      }
    },
    { live, signal },
  );
}

/** Options of {@link decoded}. */
interface DecodedOptions {
  readonly action: string;
  readonly live: boolean;
  readonly fps: number | undefined;
  readonly waitMs: number;
  readonly stop: AbortSignal;
}

/** Yields every frame of an ffmpeg process. A slow reader slows ffmpeg down. */
async function* decoded(
  child: FfmpegProcess,
  { action, live, fps, waitMs, stop }: DecodedOptions,
): AsyncGenerator<Frame> {
  const parser = pamParser();
  const started = performance.now();
  let stalled = false;
  const stall = (): void => {
    stalled = true;
    void child.stop();
  };
  let timer = setTimeout(stall, waitMs);
  try {
    let count = 0;
    for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
      for (const pixels of parser.push(chunk)) {
        clearTimeout(timer);
        if (stop.aborted) return;
        // The time of a file counts its frames; the time of a camera is the arrival time.
        const timestamp = live || fps === undefined ? performance.now() - started : (1000 * count++) / fps;
        yield pixelsFrame(pixels, { timestamp, sharp: importSharp });
        timer = setTimeout(stall, waitMs);
      }
    }
  } catch (cause) {
    if (cause instanceof WireError)
      throw new SednaError(`${action}: ${cause.message}`, { code: "source-failed", retryable: live, cause });
    // A stop by this source destroys the pipe. The code below reports the reason.
    if (!stop.aborted && !stalled) throw cause;
  } finally {
    clearTimeout(timer);
  }
  if (stop.aborted) return;
  if (stalled)
    throw new SednaError(`${action}: expected a frame within ${waitMs} ms; got none`, {
      code: "source-failed",
      retryable: live,
    });
  const failure = failureOf(await child.ended, { action, live, isBetween: parser.isBetween });
  if (failure && !stop.aborted) throw failure;
}

/** Options of {@link failureOf}. */
interface FailureOfOptions {
  readonly action: string;
  readonly live: boolean;
  readonly isBetween: boolean;
}

function failureOf(
  { code, signal, failure, complaint }: FfmpegEnd,
  { action, live, isBetween }: FailureOfOptions,
): SednaError | undefined {
  if (failure) return failure;
  if (code === 0 && isBetween && !live) return undefined;
  const why = complaint === "" ? "" : `: ${complaint}`;
  // ffmpeg is older than 5.1 or was built without a component. A retry cannot help.
  if (/Unrecognized option|Unknown encoder|Unknown input format|Protocol not found/.test(complaint)) {
    return new SednaError(
      `${action}: expected ffmpeg 5.1 or newer with all its parts; got one that says${why}`,
      { code: "missing-dependency" },
    );
  }
  const got =
    code === 0 ? "its end" : code === null ? `ffmpeg killed by ${signal}` : `ffmpeg ended with code ${code}`;
  return new SednaError(`${action}: expected frames; got ${got}${why}`, {
    code: "source-failed",
    retryable: live,
  });
}
