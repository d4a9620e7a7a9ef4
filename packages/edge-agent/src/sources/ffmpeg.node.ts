import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SednaError, type Frame, type SampleSource } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import type { RtspOptions, VideoFileOptions, WebcamOptions } from "./platform.ts";
import { ffmpegFrames } from "./ffmpeg-frames.node.ts";
import { maskCredentials } from "./mask-credentials.ts";

/** Implements `rtsp` of the platform contract: yields the latest frame of a network camera. */
export function rtsp({
  url,
  transport = "tcp",
  stallMs = 10_000,
  ...rest
}: RtspOptions): SampleSource<Frame> {
  const parsed =
    typeof url === "string" && URL.canParse(url) ? new URL(url) : url instanceof URL ? url : undefined;
  if (!parsed)
    throw new TypeError(
      `read a camera: expected url as rtsp://host/path; got ${typeof url === "string" ? JSON.stringify(maskCredentials(url)) : describeValue(url)}`,
    );
  if (parsed.protocol !== "rtsp:" && parsed.protocol !== "rtsps:")
    throw new RangeError(
      `read a camera: expected a URL of rtsp or rtsps; got ${maskCredentials(parsed.href)}`,
    );
  if (transport !== "tcp" && transport !== "udp")
    throw new RangeError(`read a camera: expected transport tcp or udp; got ${describeValue(transport)}`);

  return ffmpegFrames({
    action: `read ${maskCredentials(parsed.href)}`,
    // Name the demuxer and restrict the protocols, so that no response of a server makes ffmpeg read anything
    // else. The socket's own timeout ends a child process whose parent was killed.
    input: [
      "-f",
      "rtsp",
      "-protocol_whitelist",
      "rtp,udp,tcp,tls",
      "-rtsp_transport",
      transport,
      "-allowed_media_types",
      "video",
      "-timeout",
      String(Math.round(1000 * stallMs)),
      "-fflags",
      "nobuffer",
      "-i",
      parsed.href,
    ],
    live: true,
    stallMs,
    ...rest,
  });
}

/**
 * Implements `videoFile` of the platform contract: yields every frame of a video file, as fast as they are
 * requested.
 */
export function videoFile({ source, fps, ...rest }: VideoFileOptions): SampleSource<Frame> {
  const { input, name } = fileInput(source);
  if (fps === undefined) throw new RangeError("read a video file: expected fps above 0; got undefined");
  return ffmpegFrames({ action: `read ${name}`, input, fps, live: false, ...rest });
}

/** Implements `webcam` of the platform contract: yields the latest frame of a camera on this machine. */
export function webcam({ device, ...rest }: WebcamOptions = {}): SampleSource<Frame> {
  return ffmpegFrames({ ...webcamInput({ device, platform: process.platform }), live: true, ...rest });
}

/**
 * Returns ffmpeg's input options for a camera on a platform.
 *
 * @throws {SednaError} `unsupported-platform` if the platform is not supported.
 */
export function webcamInput({
  device,
  platform,
}: {
  readonly device: string | undefined;
  readonly platform: string;
}): { readonly action: string; readonly input: readonly string[] } {
  if (device !== undefined && (typeof device !== "string" || device === ""))
    throw new TypeError(
      `open the webcam: expected device as the camera's name; got ${describeValue(device)}`,
    );
  const open = (format: string, name: string): { action: string; input: string[] } => ({
    action: `open the webcam ${name}`,
    input: ["-f", format, "-i", name],
  });
  if (platform === "linux") return open("v4l2", device ?? "/dev/video0");
  if (platform === "darwin") return open("avfoundation", `${device ?? "0"}:none`);
  if (platform !== "win32")
    throw new SednaError(`open the webcam: expected Linux, macOS or Windows; got ${platform}`, {
      code: "unsupported-platform",
    });
  if (device === undefined)
    throw new TypeError(
      "open the webcam: expected device as the camera's name, which Windows requires; ffmpeg -list_devices true -f dshow -i dummy lists them",
    );
  return open("dshow", `video=${device}`);
}

function fileInput(source: unknown): { readonly input: readonly string[]; readonly name: string } {
  const url =
    source instanceof URL
      ? source
      : typeof source === "string" && /^(https?|file):\/\//i.test(source)
        ? new URL(source)
        : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:")
    return {
      input: ["-protocol_whitelist", "http,https,tcp,tls", "-i", url.href],
      name: maskCredentials(url.href),
    };
  if (url ? url.protocol !== "file:" : typeof source !== "string" || source === "")
    throw new TypeError(
      `read a video file: expected a path, or a URL of file, http or https; got ${describeValue(source instanceof URL ? source.href : source)}`,
    );
  const path = url ? fileURLToPath(url) : resolve(source as string);
  // The prefix "file:" prevents a name from being read as another protocol. The whitelist prevents a playlist
  // from accessing the network.
  return { input: ["-protocol_whitelist", "file", "-i", `file:${path}`], name: path };
}
