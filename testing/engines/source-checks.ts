import { decodeImage, rtsp, videoFrames } from "@sedna-js/edge-agent";
import type { EngineCheck } from "./engine-check.ts";

/** Frames and where they come from. */
export const sourceChecks: readonly EngineCheck[] = [
  {
    name: "a frame is encoded and decoded again with its pixels",
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
      if (again.width !== 20 || again.height !== 15) throw new Error(`expected 20x15; got ${again.width}x${again.height}`);
      for (const [i, value] of [10, 200, 30, 255].entries()) if (Math.abs(pixels[i]! - value) > 6) throw new Error(`expected about ${value}; got ${pixels[i]}`);
    },
  },
  {
    name: "VideoFrames come through, in RGBA, each closed once",
    lacks: async () => ("VideoFrame" in globalThis ? undefined : "VideoFrame"),
    async run() {
      const made = [0, 1, 2].map((i) => new VideoFrame(new Uint8ClampedArray(4 * 8 * 6).map((_, at) => (at % 4 === 3 ? 255 : 60 * i)), { format: "RGBA", codedWidth: 8, codedHeight: 6, timestamp: 40_000 * i }));
      const stream = new ReadableStream<VideoFrame>({ start: (controller) => (made.forEach((frame) => controller.enqueue(frame)), controller.close()) });
      const seen: number[] = [];
      for await (const frame of videoFrames(stream, { live: false })) {
        const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
        await frame.copyTo(pixels);
        seen.push(frame.timestamp, pixels[0]!, pixels[3]!);
        frame.close();
      }
      if (seen.join() !== "0,0,255,40,60,255,80,120,255") throw new Error(`expected three grey frames; got ${seen.join()}`);
      if (made.some((frame) => frame.format !== null)) throw new Error("expected all frames closed");
    },
  },
  {
    name: "what only Node has says so",
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
