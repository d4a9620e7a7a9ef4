import { decodeImage, rtsp, videoFrames, type Frame } from "@sedna-js/edge-agent";
import type { EngineCheck } from "./engine-check.ts";

const stream = (...frames: VideoFrame[]): ReadableStream<VideoFrame> =>
  new ReadableStream({
    start: (controller) => (frames.forEach((frame) => controller.enqueue(frame)), controller.close()),
  });
const all = async (source: AsyncIterable<Frame>): Promise<Frame[]> => {
  const frames: Frame[] = [];
  for await (const frame of source) frames.push(frame);
  return frames;
};

/** Checks of frames and frame sources. */
export const sourceChecks: readonly EngineCheck[] = [
  {
    name: "a frame keeps its pixels when it is encoded and decoded again",
    async run() {
      const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
      const context = canvas.getContext("2d")!;
      context.fillStyle = "rgb(10, 200, 30)";
      context.fillRect(0, 0, 40, 30);
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
      const frame = await decodeImage(new Uint8Array(await blob!.arrayBuffer()));
      const image = await frame.encode({ type: "image/jpeg", quality: 0.9, maxSide: 20 });
      const again = await decodeImage(image.bytes);
      const pixels = new Uint8ClampedArray(4 * again.width * again.height);
      await again.copyTo(pixels);
      frame.close();
      again.close();
      if (again.width !== 20 || again.height !== 15)
        throw new Error(`expected 20x15; got ${again.width}x${again.height}`);
      for (const [i, value] of [10, 200, 30, 255].entries())
        if (Math.abs(pixels[i]! - value) > 6) throw new Error(`expected about ${value}; got ${pixels[i]}`);
    },
  },
  {
    name: "VideoFrames are yielded in RGBA and are all closed",
    lacks: async () => ("VideoFrame" in globalThis ? undefined : "VideoFrame"),
    async run() {
      const made = [0, 1, 2].map(
        (i) =>
          new VideoFrame(
            new Uint8ClampedArray(4 * 8 * 6).map((_, at) => (at % 4 === 3 ? 255 : 60 * i)),
            { format: "RGBA", codedWidth: 8, codedHeight: 6, timestamp: 40_000 * i },
          ),
      );
      const seen: number[] = [];
      for await (const frame of videoFrames(stream(...made), { live: false })) {
        const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
        await frame.copyTo(pixels);
        seen.push(frame.timestamp, pixels[0]!, pixels[3]!);
        frame.close();
      }
      if (seen.join() !== "0,0,255,40,60,255,80,120,255")
        throw new Error(`expected three gray frames; got ${seen.join()}`);
      if (made.some((frame) => frame.format !== null)) throw new Error("expected all frames closed");
    },
  },
  {
    name: "VideoFrames of every camera format are read as RGB",
    lacks: async () => ("VideoFrame" in globalThis ? undefined : "VideoFrame"),
    async run() {
      for (const format of ["RGBA", "RGBX", "BGRA", "BGRX", "I420", "NV12"] as const) {
        const planar = format === "I420" || format === "NV12";
        // Gray, and opaque: Chromium reads the X channel as alpha.
        const bytes = planar
          ? new Uint8Array(1.5 * 16 * 8).fill(128)
          : new Uint8Array(4 * 16 * 8).map((_, at) => (at % 4 === 3 ? 255 : 128));
        const [frame] = await all(
          videoFrames(
            stream(new VideoFrame(bytes, { format, codedWidth: 16, codedHeight: 8, timestamp: 0 })),
            { live: false },
          ),
        );
        const pixels = new Uint8ClampedArray(4 * 16 * 8);
        await frame!.copyTo(pixels);
        frame!.close();
        // A Y of 128 is 128 in full range and 130 in TV range.
        if ([0, 1, 2].some((channel) => Math.abs(pixels[channel]! - 128) > 4))
          throw new Error(`expected ${format} as gray; got ${pixels.subarray(0, 4).join()}`);
      }
    },
  },
  {
    name: "a function that needs Node throws unsupported-platform",
    async run() {
      try {
        rtsp({ url: "rtsp://camera/" });
      } catch (error) {
        if ((error as { code?: string }).code === "unsupported-platform") return;
      }
      throw new Error("expected unsupported-platform");
    },
  },
];
