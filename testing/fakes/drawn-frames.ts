// Frames that a real ffmpeg draws, and helpers for tests of frames and of the processes that produce them.
import { readFile } from "node:fs/promises";
import type { Frame, SampleSource } from "@sedna-js/core";
import { ffmpegFrames } from "../../packages/edge-agent/src/sources/ffmpeg-frames.node.ts";

/**
 * Returns the pids of this process's ffmpeg children, including zombies; an empty list on systems other than
 * Linux.
 */
export async function ffmpegChildren(): Promise<number[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8"))
    .trim()
    .split(" ");
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")));
  return pids.filter((_, i) => names[i]!.startsWith("ffmpeg")).map(Number);
}

/** Returns a live source of the picture that ffmpeg's lavfi draws in real time. */
export const drawn = (
  picture: string,
  options: { readonly signal?: AbortSignal } = {},
): SampleSource<Frame> =>
  ffmpegFrames({
    action: "read the pattern",
    input: ["-re", "-f", "lavfi", "-i", picture],
    live: true,
    ...options,
  });

/** Returns a lavfi picture whose gray value is four times its frame number, modulo 64 frames. */
export const numbered = (rate: number): string =>
  `color=black:size=64x48:rate=${rate},format=gray,geq=lum='mod(N\\,64)*4'`;

/** Returns the first pixel's RGBA. */
export async function firstPixel(frame: Frame): Promise<number[]> {
  const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
  await frame.copyTo(pixels);
  return [...pixels.subarray(0, 4)];
}
