import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Frame, SampleSource } from "@sedna-js/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasFfmpeg } from "../../../scripts/ffmpeg.ts";
import { drawn, ffmpegChildren, firstPixel, numbered } from "../../../testing/fakes/drawn-frames.ts";
import { startRtspServer, type RtspServer } from "../../../testing/servers/rtsp-server.ts";
import { ffmpegFrames } from "../src/sources/ffmpeg-frames.node.ts";
import { rtsp, videoFile, webcam } from "../src/sources/ffmpeg.node.ts";
import { restartSource } from "../src/sources/restart-source.ts";
import type { SourceEvent } from "../src/sources/source-events.ts";

// Tests a device's sources with a real ffmpeg, a real RTSP server, and real files.

const installed = hasFfmpeg();
const skipped = installed ? "" : " (SKIPPED: ffmpeg 5.1 or newer is not installed)";
const run = promisify(execFile);
let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "sedna-"))));
afterAll(() => rm(folder, { recursive: true }));

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

describe.skipIf(!installed)("ffmpegFrames()", () => {
  it(`leaves no process behind if its reader stops within a frame or requests no more frames${skipped}`, async () => {
    const iterator = drawn("testsrc2=size=1920x1080:rate=60")[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    await iterator.return!();
    await waiting;
    expect(await ffmpegChildren()).toEqual([]);
    const all = ffmpegFrames({
      action: "read",
      input: ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=60"],
      live: false,
    });
    await take(all, 2);
    expect(await ffmpegChildren()).toEqual([]);
  });

  it(`ends at any moment when it is aborted${skipped}`, async () => {
    for (const ms of [0, 20, 60, 200]) {
      const stop = new AbortController();
      const reading = read(drawn("testsrc2=size=1280x720:rate=60", { signal: stop.signal }));
      setTimeout(() => stop.abort(), ms);
      await reading;
      expect(await ffmpegChildren()).toEqual([]);
    }
  });

  it(`keeps the frame size when the stream changes its size${skipped}`, async () => {
    const part = async (size: string): Promise<Buffer> => {
      await run("ffmpeg", [
        "-loglevel",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        `color=red:size=${size}:rate=10`,
        "-t",
        "0.5",
        "-c:v",
        "libx264",
        "-f",
        "mpegts",
        join(folder, "part.ts"),
      ]);
      return readFile(join(folder, "part.ts"));
    };
    await writeFile(join(folder, "sizes.ts"), Buffer.concat([await part("320x240"), await part("640x360")]));
    const frames = await take(videoFile({ source: join(folder, "sizes.ts"), fps: 10 }), Infinity);
    expect(frames.length).toBeGreaterThanOrEqual(9);
    expect(new Set(frames.map(({ width, height }) => `${width}x${height}`))).toEqual(new Set(["320x240"]));
    for (const frame of frames) expect((await firstPixel(frame))[0]).toBeGreaterThan(240);
  });

  it(`fails if no frame arrives for stallMs and ends the child process${skipped}`, async () => {
    const silent = ffmpegFrames({
      action: "read the silence",
      input: ["-re", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=0.01"],
      live: true,
      stallMs: 400,
    });
    const frames: Frame[] = [];
    await expect(
      (async () => {
        for await (const frame of silent) frames.push(frame);
      })(),
    ).rejects.toMatchObject({
      code: "source-failed",
      retryable: true,
      message: "read the silence: expected a frame within 400 ms; got none",
    });
    expect(await ffmpegChildren()).toEqual([]);
  });

  it(`waits for a frame until it is due at a low fps${skipped}`, async () => {
    const seldom = ffmpegFrames({
      action: "read",
      input: ["-re", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=20"],
      live: true,
      fps: 1,
      stallMs: 500,
    });
    expect(await take(seldom, 3)).toHaveLength(3);
  });

  it(`kills a child process that ignores SIGTERM${skipped}`, async () => {
    const deaf = join(folder, "deaf.sh");
    await writeFile(deaf, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n", { mode: 0o755 });
    const started = performance.now();
    await expect(
      read(ffmpegFrames({ action: "read", input: [], live: true, stallMs: 100, ffmpeg: deaf })),
    ).rejects.toMatchObject({ code: "source-failed" });
    expect(performance.now() - started).toBeGreaterThan(1900);
  }, 10_000);

  it.skipIf(process.platform !== "linux")(
    `ends the child process when its parent is killed${skipped}`,
    async () => {
      const source = new URL("../src/sources/ffmpeg-frames.node.ts", import.meta.url).href;
      const program = `const { ffmpegFrames } = await import(${JSON.stringify(source)});
      const { readFileSync } = await import("node:fs");
      for await (const frame of ffmpegFrames({ action: "read", input: ["-re", "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=30"], live: true })) {
        const children = readFileSync("/proc/self/task/" + process.pid + "/children", "utf8").trim().split(" ");
        process.stdout.write(children.find((pid) => readFileSync("/proc/" + pid + "/comm", "utf8").startsWith("ffmpeg")), () => process.kill(process.pid, "SIGKILL"));
      }`;
      const { stdout } = await run(process.execPath, [
        "--conditions=sedna-source",
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        program,
      ]).catch((error: { stdout: string }) => error);
      const pid = Number(stdout.trim());
      expect(pid).toBeGreaterThan(0);
      await expect
        .poll(async () => (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "gone")).trim(), {
          timeout: 5000,
        })
        .toBe("gone");
    },
    30_000,
  );
});

describe.skipIf(!installed)("videoFile() in Node", () => {
  const video = new URL("../../../models/vtest/vtest.mp4", import.meta.url);

  it(`yields each frame at the requested rate with its timestamp, from a path and from a URL${skipped}`, async () => {
    const frames = await take(videoFile({ source: video, fps: 10, width: 384 }), 6);
    expect(frames.map(({ timestamp }) => timestamp)).toEqual([0, 100, 200, 300, 400, 500]);
    expect(frames.map(({ width, height }) => [width, height])).toEqual(
      Array.from({ length: 6 }, () => [384, 288]),
    );
    expect((await frames[0]!.encode({ type: "image/jpeg", quality: 0.8 })).bytes[0]).toBe(0xff);
  });

  it(`buffers no frame and drops none for a slow reader, and yields frames that are never overwritten${skipped}`, async () => {
    const source = ffmpegFrames({
      action: "read",
      input: ["-f", "lavfi", "-i", `${numbered(25)},trim=end_frame=64`],
      live: false,
    });
    const frames: Frame[] = [];
    for await (const frame of source) {
      frames.push(frame);
      if (frames.length % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const greys = await Promise.all(frames.map(async (frame) => (await firstPixel(frame))[0]! / 4));
    expect(greys).toEqual(Array.from({ length: 64 }, (_, i) => i));
  });

  it(`rejects a file that is not a video without a retry${skipped}`, async () => {
    const text = join(folder, "-i.txt");
    await writeFile(text, "no video");
    await expect(read(videoFile({ source: text, fps: 1 }))).rejects.toMatchObject({
      code: "source-failed",
      retryable: false,
      message: expect.stringMatching(
        /^read .+-i\.txt: expected frames; got ffmpeg ended with code \d+: .*Invalid data/,
      ),
    });
    await expect(read(videoFile({ source: join(folder, "nowhere.mp4"), fps: 1 }))).rejects.toMatchObject({
      message: expect.stringContaining("No such file"),
    });
  });

  it(`does not follow a playlist to the network or to other protocols${skipped}`, async () => {
    const asked: string[] = [];
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => void (asked.push(request.url!), response.end()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const list = join(folder, "list.m3u8");
    await writeFile(
      list,
      `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:${port}/secret.ts\n#EXT-X-ENDLIST\n`,
    );
    await expect(read(videoFile({ source: pathToFileURL(list), fps: 1 }))).rejects.toMatchObject({
      code: "source-failed",
    });
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

  it(`yields the frames of a camera, at a smaller size and rate if requested${skipped}`, async () => {
    const camera = await start();
    const frames = await take(rtsp({ url: camera.url, width: 160, fps: 10 }), 8);
    expect(frames.map(({ width, height }) => `${width}x${height}`)).toEqual(
      Array.from({ length: 8 }, () => "160x120"),
    );
    const times = frames.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await camera.close();
  });

  it(`reopens a camera that disconnects and returns, and emits events${skipped}`, async () => {
    const camera = await start();
    const events: SourceEvent[] = [];
    const stop = new AbortController();
    const widths: number[] = [];
    const reading = (async () => {
      const source = restartSource(
        () => rtsp({ url: `rtsp://admin:s3cret@127.0.0.1:${camera.port}/live`, stallMs: 5000 }),
        {
          onEvent: (event) => events.push(event),
          baseMs: 50,
          maxMs: 400,
          random: () => 0.99,
          signal: stop.signal,
        },
      );
      for await (const frame of source) {
        widths.push(frame.width);
        frame.close();
      }
    })();
    await expect.poll(() => widths.length, { timeout: 15_000 }).toBeGreaterThan(5);
    await camera.close();
    await expect
      .poll(() => events.filter(({ type }) => type === "source-failed").length, { timeout: 15_000 })
      .toBeGreaterThan(2);
    const before = widths.length;
    await start({ port: camera.port });
    await expect.poll(() => widths.length, { timeout: 15_000 }).toBeGreaterThan(before + 5);
    stop.abort();
    await reading;
    expect(events[0]).toEqual({ type: "source-opened" });
    expect(events.at(-1)).toEqual({ type: "source-opened" });
    expect(events.find(({ type }) => type === "source-failed")).toMatchObject({
      message: expect.stringMatching(
        /^read rtsp:\/\/admin:\*\*\*@127\.0\.0\.1:\d+\/live: expected frames; got /,
      ),
    });
    expect(JSON.stringify(events)).toContain("Connection refused");
    expect(JSON.stringify(events)).not.toContain("s3cret");
  }, 60_000);

  it(`treats a camera that keeps the connection but sends nothing as stalled${skipped}`, async () => {
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
  it("report how to install ffmpeg if it is missing", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "";
    try {
      const missing = {
        code: "missing-dependency",
        message: expect.stringMatching(
          /expected the program ffmpeg; got none: install it \(Debian: apt-get install ffmpeg/,
        ),
      };
      await expect(read(rtsp({ url: "rtsp://127.0.0.1:1/" }))).rejects.toMatchObject(missing);
      await expect(read(restartSource(() => webcam({ device: "/dev/video0" })))).rejects.toMatchObject(
        missing,
      );
    } finally {
      process.env["PATH"] = path;
    }
    await expect(
      read(videoFile({ source: "a.mp4", fps: 1, ffmpeg: "/nowhere/ffmpeg" })),
    ).rejects.toMatchObject({ code: "missing-dependency" });
  });

  it.skipIf(!installed || process.platform !== "linux")(`report a missing webcam${skipped}`, async () => {
    await expect(read(webcam({ device: "/dev/video99" }))).rejects.toMatchObject({
      code: "source-failed",
      retryable: true,
      message: expect.stringMatching(/^open the webcam \/dev\/video99: .*No such file/),
    });
  });

  it.skipIf(process.platform === "win32")(
    "report an ffmpeg that is too old and are not restarted",
    async () => {
      const old = join(folder, "old.sh");
      await writeFile(old, "#!/bin/sh\necho \"Unrecognized option 'fps_mode'.\" >&2\nexit 1\n", {
        mode: 0o755,
      });
      await expect(
        read(restartSource(() => rtsp({ url: "rtsp://127.0.0.1:1/", ffmpeg: old }))),
      ).rejects.toMatchObject({
        code: "missing-dependency",
        message: expect.stringContaining(
          "expected ffmpeg 5.1 or newer with all its parts; got one that says: Unrecognized option 'fps_mode'.",
        ),
      });
    },
  );

  it.skipIf(process.platform === "win32")(
    "fail with a retryable error if the system has no file descriptors left",
    async () => {
      const source = new URL("../src/sources/ffmpeg.node.ts", import.meta.url).href;
      const program = `const { rtsp } = await import(${JSON.stringify(source)});
      const { openSync } = await import("node:fs");
      const said = [];
      try { for (;;) openSync("/dev/null"); } catch (error) { said.push(error.code); }
      try { for await (const frame of rtsp({ url: "rtsp://127.0.0.1:1/" })) frame.close(); } catch (error) { said.push(error.code, error.retryable); }
      process.stdout.write(said.join());`;
      const { stdout } = await run("sh", [
        "-c",
        'ulimit -n 256; exec "$0" "$@"',
        process.execPath,
        "--conditions=sedna-source",
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        program,
      ]);
      expect(stdout).toBe("EMFILE,source-failed,true");
    },
  );
});
