import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { createJointInference, type Estimator, type Frame, type SampleSource } from "@sedna-js/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasFfmpeg } from "../../../scripts/ffmpeg.ts";
import { startRtspServer, type RtspServer } from "../../../testing/rtsp-server.ts";
import { ffmpegFrames } from "../src/sources/ffmpeg-frames.node.ts";
import { rtsp, videoFile, webcam } from "../src/sources/ffmpeg.node.ts";
import { restartSource } from "../src/sources/restart-source.ts";
import type { SourceEvent } from "../src/sources/source-events.ts";

// The sources of a device with a real ffmpeg, a real camera on a socket, and real files.

const installed = hasFfmpeg();
const skipped = installed ? "" : " (SKIPPED: ffmpeg 5.1 or newer is not installed)";
const run = promisify(execFile);
let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "sedna-"))));
afterAll(() => rm(folder, { recursive: true }));

/** The pids of our own ffmpegs, zombies included; nothing where the system does not say. */
const children = async (): Promise<number[]> => {
  if (process.platform !== "linux") return [];
  const ids = await Promise.all((await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")).trim().split(" ").map(async (pid) => ((await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).startsWith("ffmpeg") ? [Number(pid)] : [])));
  return ids.flat();
};
const drawn = (picture: string, options: { readonly signal?: AbortSignal } = {}) => ffmpegFrames({ action: "read the pattern", input: ["-re", "-f", "lavfi", "-i", picture], live: true, ...options });
const take = async (source: SampleSource<Frame>, count: number): Promise<Frame[]> => {
  const frames: Frame[] = [];
  for await (const frame of source) if (frames.push(frame) === count) break;
  return frames;
};
const read = async (source: SampleSource<Frame>): Promise<number> => {
  let count = 0;
  for await (const frame of source) {
    frame.close();
    count++;
  }
  return count;
};
const firstPixel = async (frame: Frame): Promise<number[]> => {
  const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
  await frame.copyTo(pixels);
  return [...pixels.subarray(0, 4)];
};
const percentile = (values: readonly number[], share: number): number => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
/** Each frame's grey is its number: brightness steps by 4 every frame, modulo 64 frames. */
const numbered = (rate: number): string => `color=black:size=64x48:rate=${rate},format=gray,geq=lum='mod(N\\,64)*4'`;

describe.skipIf(!installed)("C17: camera faster than the model", () => {
  it(`the newest of 60 frames a second wins for a model of 10, none older than two inferences, and each is closed once${skipped}`, async () => {
    const closes = new Map<Frame, number>();
    const arrived = new Map<Frame, number>();
    const counted: SampleSource<Frame> = {
      live: true,
      async *[Symbol.asyncIterator]() {
        for await (const frame of drawn(numbered(60))) {
          const close = frame.close.bind(frame);
          closes.set(frame, 0);
          arrived.set(frame, performance.now());
          yield Object.assign(frame, { close: () => (close(), void closes.set(frame, closes.get(frame)! + 1)) });
        }
      },
    };
    // What an inference of 100 ms really takes, on a machine that has other work too.
    const inferences: number[] = [];
    const estimator: Estimator<Frame, number> = {
      load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
      predict: async (frame) => {
        const began = performance.now();
        const [grey] = await firstPixel(frame);
        await new Promise((resolve) => setTimeout(resolve, 100));
        inferences.push(performance.now() - began);
        return grey! / 4;
      },
      dispose: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
    const joint = createJointInference({ estimator });
    // Two ages of an answer: since its frame came, and, by the number in the picture, since it was drawn. For that the
    // least lag, which had an inference in it, is the zero.
    const ages: number[] = [];
    const lags: number[] = [];
    let turns = 0;
    let before = -1;
    for await (const { result, sample } of joint.run(counted)) {
      if (result! < before) turns++;
      before = result!;
      ages.push(performance.now() - arrived.get(sample)!);
      lags.push(performance.now() - ((64 * turns + result!) * 1000) / 60);
      if (ages.length === 60) break;
    }
    const inferenceMs = percentile(inferences, 0.99);
    expect(percentile(ages, 0.99)).toBeLessThanOrEqual(2 * inferenceMs);
    expect(percentile(lags, 0.5) - Math.min(...lags) + inferenceMs).toBeLessThanOrEqual(2 * inferenceMs);
    expect(joint.stats().droppedNumber).toBeGreaterThan(4 * 50);
    await expect.poll(() => [...closes.values()].filter((times) => times !== 1)).toEqual([]);
    await expect.poll(children).toEqual([]);
  }, 30_000);

  it(`a reader of the source itself gets the newest, not what waited in pipes${skipped}`, async () => {
    const seen: { number: number; at: number }[] = [];
    for await (const frame of drawn(numbered(60))) {
      seen.push({ number: (await firstPixel(frame))[0]! / 4, at: performance.now() });
      if (seen.length === 4) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // About as many frames on as the time is, not three: neither those that were missed nor those that waited.
    const [first, last] = [seen[0]!, seen.at(-1)!];
    expect(last.number - first.number).toBeGreaterThan(0.5 * 60 * ((last.at - first.at) / 1000));
  });
});

describe.skipIf(!installed)("ffmpegFrames()", () => {
  it(`leaves no process behind when its reader leaves in the middle of a frame, or never asks again${skipped}`, async () => {
    const iterator = drawn("testsrc2=size=1920x1080:rate=60")[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    await iterator.return!();
    await waiting;
    expect(await children()).toEqual([]);
    const all = ffmpegFrames({ action: "read", input: ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=60"], live: false });
    await take(all, 2);
    expect(await children()).toEqual([]);
  });

  it(`ends when it is aborted, at any moment${skipped}`, async () => {
    for (const ms of [0, 20, 60, 200]) {
      const stop = new AbortController();
      const reading = read(drawn("testsrc2=size=1280x720:rate=60", { signal: stop.signal }));
      setTimeout(() => stop.abort(), ms);
      await reading;
      expect(await children()).toEqual([]);
    }
  });

  it(`keeps to one size when the stream changes its own${skipped}`, async () => {
    const part = async (size: string): Promise<Buffer> => {
      await run("ffmpeg", ["-loglevel", "error", "-y", "-f", "lavfi", "-i", `color=red:size=${size}:rate=10`, "-t", "0.5", "-c:v", "libx264", "-f", "mpegts", join(folder, "part.ts")]);
      return readFile(join(folder, "part.ts"));
    };
    await writeFile(join(folder, "sizes.ts"), Buffer.concat([await part("320x240"), await part("640x360")]));
    const frames = await take(videoFile({ source: join(folder, "sizes.ts"), fps: 10 }), Infinity);
    expect(frames.length).toBeGreaterThanOrEqual(9);
    expect(new Set(frames.map(({ width, height }) => `${width}x${height}`))).toEqual(new Set(["320x240"]));
    for (const frame of frames) expect((await firstPixel(frame))[0]).toBeGreaterThan(240);
  });

  it(`fails when no frame comes for stallMs, and ends the child${skipped}`, async () => {
    const silent = ffmpegFrames({ action: "read the silence", input: ["-re", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=0.01"], live: true, stallMs: 400 });
    const frames: Frame[] = [];
    await expect((async () => { for await (const frame of silent) frames.push(frame); })()).rejects.toMatchObject({ code: "source-failed", retryable: true, message: "read the silence: expected a frame within 400 ms; got none" });
    expect(await children()).toEqual([]);
  });

  it(`is ended by force where it does not hear${skipped}`, async () => {
    const deaf = join(folder, "deaf.sh");
    await writeFile(deaf, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n", { mode: 0o755 });
    const started = performance.now();
    await expect(read(ffmpegFrames({ action: "read", input: [], live: true, stallMs: 100, ffmpeg: deaf }))).rejects.toMatchObject({ code: "source-failed" });
    expect(performance.now() - started).toBeGreaterThan(1900);
  }, 10_000);

  it.skipIf(process.platform !== "linux")(`a child whose parent is killed ends too${skipped}`, async () => {
    const source = new URL("../src/sources/ffmpeg-frames.node.ts", import.meta.url).href;
    const program = `const { ffmpegFrames } = await import(${JSON.stringify(source)});
      const { readFileSync } = await import("node:fs");
      for await (const frame of ffmpegFrames({ action: "read", input: ["-re", "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=30"], live: true })) {
        const children = readFileSync("/proc/self/task/" + process.pid + "/children", "utf8").trim().split(" ");
        process.stdout.write(children.find((pid) => readFileSync("/proc/" + pid + "/comm", "utf8").startsWith("ffmpeg")), () => process.kill(process.pid, "SIGKILL"));
      }`;
    const { stdout } = await run(process.execPath, ["--conditions=sedna-source", "--import", "tsx", "--input-type=module", "-e", program]).catch((error: { stdout: string }) => error);
    const pid = Number(stdout.trim());
    expect(pid).toBeGreaterThan(0);
    await expect.poll(async () => (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "gone")).trim(), { timeout: 5000 }).toBe("gone");
  }, 30_000);
});

describe.skipIf(!installed)("videoFile() in Node", () => {
  const video = new URL("../../../models/vtest/vtest.mp4", import.meta.url);

  it(`gives each frame at the asked rate, with its time, from a path and from a URL${skipped}`, async () => {
    const frames = await take(videoFile({ source: video, fps: 10, width: 384 }), 6);
    expect(frames.map(({ timestamp }) => timestamp)).toEqual([0, 100, 200, 300, 400, 500]);
    expect(frames.map(({ width, height }) => [width, height])).toEqual(Array.from({ length: 6 }, () => [384, 288]));
    expect((await frames[0]!.encode({ type: "image/jpeg", quality: 0.8 })).bytes[0]).toBe(0xff);
  });

  it(`holds no frame back and drops none for a slow reader, and gives frames that nothing writes to again${skipped}`, async () => {
    const source = ffmpegFrames({ action: "read", input: ["-f", "lavfi", "-i", `${numbered(25)},trim=end_frame=64`], live: false });
    const frames: Frame[] = [];
    for await (const frame of source) {
      frames.push(frame);
      if (frames.length % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const greys = await Promise.all(frames.map(async (frame) => (await firstPixel(frame))[0]! / 4));
    expect(greys).toEqual(Array.from({ length: 64 }, (_, i) => i));
  });

  it(`says what is no video, without trying again${skipped}`, async () => {
    const text = join(folder, "-i.txt");
    await writeFile(text, "no video");
    await expect(read(videoFile({ source: text, fps: 1 }))).rejects.toMatchObject({ code: "source-failed", retryable: false, message: expect.stringMatching(/^read .+-i\.txt: expected frames; got ffmpeg ended with code \d+: .*Invalid data/) });
    await expect(read(videoFile({ source: join(folder, "nowhere.mp4"), fps: 1 }))).rejects.toMatchObject({ message: expect.stringContaining("No such file") });
  });

  it(`follows no playlist out to the network or to other protocols${skipped}`, async () => {
    const asked: string[] = [];
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => void (asked.push(request.url!), response.end()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const list = join(folder, "list.m3u8");
    await writeFile(list, `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:${port}/secret.ts\n#EXT-X-ENDLIST\n`);
    await expect(read(videoFile({ source: pathToFileURL(list), fps: 1 }))).rejects.toMatchObject({ code: "source-failed" });
    server.close();
    expect(asked).toEqual([]);
  });
});

describe.skipIf(!installed)("rtsp()", () => {
  const opened: RtspServer[] = [];
  const start = async (options = {}): Promise<RtspServer> => {
    const server = await startRtspServer(options);
    opened.push(server);
    return server;
  };
  afterAll(() => Promise.all(opened.map((server) => server.close().catch(() => {}))));

  it(`gives the frames of a camera, smaller and fewer where asked${skipped}`, async () => {
    const camera = await start();
    const frames = await take(rtsp({ url: camera.url, width: 160, fps: 10 }), 8);
    expect(frames.map(({ width, height }) => `${width}x${height}`)).toEqual(Array.from({ length: 8 }, () => "160x120"));
    const times = frames.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await camera.close();
  });

  it(`a camera that goes and comes back is opened again, and says so${skipped}`, async () => {
    const camera = await start();
    const events: SourceEvent[] = [];
    const stop = new AbortController();
    const widths: number[] = [];
    const reading = (async () => {
      const source = restartSource(() => rtsp({ url: `rtsp://admin:s3cret@127.0.0.1:${camera.port}/live`, stallMs: 5000 }), { onEvent: (event) => events.push(event), baseMs: 50, maxMs: 400, random: () => 0.99, signal: stop.signal });
      for await (const frame of source) {
        widths.push(frame.width);
        frame.close();
      }
    })();
    await expect.poll(() => widths.length, { timeout: 15_000 }).toBeGreaterThan(5);
    await camera.close();
    await expect.poll(() => events.filter(({ type }) => type === "source-failed").length, { timeout: 15_000 }).toBeGreaterThan(2);
    const before = widths.length;
    await start({ port: camera.port });
    await expect.poll(() => widths.length, { timeout: 15_000 }).toBeGreaterThan(before + 5);
    stop.abort();
    await reading;
    expect(events[0]).toEqual({ type: "source-opened" });
    expect(events.at(-1)).toEqual({ type: "source-opened" });
    expect(events.find(({ type }) => type === "source-failed")).toMatchObject({ message: expect.stringMatching(/^read rtsp:\/\/admin:\*\*\*@127\.0\.0\.1:\d+\/live: expected frames; got /) });
    expect(JSON.stringify(events)).toContain("Connection refused");
    expect(JSON.stringify(events)).not.toContain("s3cret");
  }, 60_000);

  it(`a camera that keeps the connection and sends nothing is a stall${skipped}`, async () => {
    const camera = await start();
    let frames = 0;
    const reading = (async () => {
      for await (const frame of rtsp({ url: camera.url, stallMs: 3000 })) {
        frame.close();
        if (++frames === 5) camera.freeze();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "source-failed", retryable: true });
    expect(frames).toBeGreaterThanOrEqual(5);
    await camera.close();
  }, 30_000);
});

describe("sources that need ffmpeg", () => {
  it("say how to install it where it is missing", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "";
    try {
      const missing = { code: "missing-dependency", message: expect.stringMatching(/expected the program ffmpeg; got none: install it \(Debian: apt-get install ffmpeg/) };
      await expect(read(rtsp({ url: "rtsp://127.0.0.1:1/" }))).rejects.toMatchObject(missing);
      await expect(read(restartSource(() => webcam({ device: "/dev/video0" })))).rejects.toMatchObject(missing);
    } finally {
      process.env["PATH"] = path;
    }
    await expect(read(videoFile({ source: "a.mp4", fps: 1, ffmpeg: "/nowhere/ffmpeg" }))).rejects.toMatchObject({ code: "missing-dependency" });
  });

  it.skipIf(!installed || process.platform !== "linux")(`say that there is no webcam${skipped}`, async () => {
    await expect(read(webcam({ device: "/dev/video99" }))).rejects.toMatchObject({ code: "source-failed", retryable: true, message: expect.stringMatching(/^open the webcam \/dev\/video99: .*No such file/) });
  });
});
