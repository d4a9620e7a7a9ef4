import { createJointInference, type Estimator, type Frame } from "@sedna-js/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import video from "../../../../models/vtest/vtest.mp4?url";
import { camera, directory, rtsp, videoElement, videoFile, webcam } from "./platform.browser.ts";

const elements: HTMLVideoElement[] = [];
afterEach(() => {
  for (const element of elements.splice(0)) element.removeAttribute("src");
  vi.restoreAllMocks();
});
const play = async (): Promise<HTMLVideoElement> => {
  const element = document.createElement("video");
  elements.push(element);
  Object.assign(element, { muted: true, src: video });
  await element.play();
  return element;
};
/** Counts the open VideoFrames. */
const watchFrames = (): { open: number } => {
  const counter = { open: 0 };
  const Original = VideoFrame;
  vi.stubGlobal(
    "VideoFrame",
    class extends Original {
      constructor(...args: ConstructorParameters<typeof Original>) {
        super(...args);
        counter.open++;
      }
      override close(): void {
        counter.open--;
        super.close();
      }
    },
  );
  return counter;
};
const slow = (ms: number): Estimator<Frame, number[][]> => ({
  load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
  predict: async () => (await new Promise((resolve) => setTimeout(resolve, ms)), []),
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
});

describe("videoElement()", () => {
  it("yields the frames of a playing video with their media time", async () => {
    const times: number[] = [];
    for await (const frame of videoElement(await play())) {
      expect([frame.width, frame.height]).toEqual([768, 576]);
      times.push(frame.timestamp);
      frame.close();
      if (times.length === 4) break;
    }
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    // The video has 10 frames per second.
    expect(times.every((time) => Math.abs(time - 100 * Math.round(time / 100)) < 1)).toBe(true);
  });

  it("drops and counts the frames that a slow model misses, and closes every VideoFrame", async () => {
    const frames = watchFrames();
    const joint = createJointInference({ estimator: slow(350) });
    let results = 0;
    for await (const _ of joint.run(videoElement(await play()))) if (++results === 4) break;
    expect(joint.status().droppedNumber).toBeGreaterThanOrEqual(3);
    await expect.poll(() => frames.open).toBe(0);
    vi.unstubAllGlobals();
  });

  it("encodes a frame as JPEG, scaled down to maxSide", async () => {
    for await (const frame of videoElement(await play())) {
      const image = await frame.encode({ type: "image/jpeg", quality: 0.8, maxSide: 384 });
      expect([image.type, image.width, image.height, image.bytes[0], image.bytes[1]]).toEqual([
        "image/jpeg",
        384,
        288,
        0xff,
        0xd8,
      ]);
      frame.close();
      break;
    }
  });

  it("ends when its signal aborts, and rejects anything but a <video>", async () => {
    const controller = new AbortController();
    const reading = (async () => {
      for await (const frame of videoElement(await play(), { signal: controller.signal })) frame.close();
      return "ended";
    })();
    setTimeout(() => controller.abort(), 300);
    expect(await reading).toBe("ended");
    expect(() => videoElement(null)).toThrow("expected a <video>; got null");
  });
});

describe("a source and its reader", () => {
  it("ends at once when the reader stops while no new frame is shown", async () => {
    const element = await play();
    const iterator = videoElement(element)[Symbol.asyncIterator]();
    (await iterator.next()).value?.close();
    element.pause();
    const waiting = iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 150));
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("stops a camera that is granted after the abort", async () => {
    const tracks: MediaStreamTrack[] = [];
    const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let grant!: () => void;
    const asked = new Promise<void>((resolve) => (grant = resolve));
    vi.spyOn(navigator.mediaDevices, "getUserMedia").mockImplementation(async (constraints) => {
      await asked;
      const stream = await original(constraints);
      tracks.push(...stream.getTracks());
      return stream;
    });
    const element = document.createElement("video");
    const controller = new AbortController();
    const reading = (async () => {
      for await (const frame of camera({ element, signal: controller.signal })) frame.close();
    })();
    controller.abort();
    grant();
    await reading;
    expect(element.srcObject).toBeNull();
    expect(tracks.map(({ readyState }) => readyState)).toEqual(["ended"]);
  });

  it("ends if the video ended while the reader processed a frame", async () => {
    const element = await play();
    element.currentTime = element.duration - 0.3;
    const times: number[] = [];
    for await (const frame of videoElement(element)) {
      times.push(frame.timestamp);
      frame.close();
      if (!element.ended)
        await new Promise((resolve) => element.addEventListener("ended", resolve, { once: true }));
    }
    expect(times.length).toBeGreaterThanOrEqual(1);
  });
});

describe("videoFile()", () => {
  it("yields every frame at the requested rate, in order, by seeking", async () => {
    const times: number[] = [];
    for await (const frame of videoFile({ source: video, fps: 10 })) {
      times.push(frame.timestamp);
      frame.close();
      if (times.length === 6) break;
    }
    expect(times).toEqual([0, 100, 200, 300, 400, 500]);
  });

  it("throws if the file is not a video", async () => {
    const read = async (): Promise<void> => {
      for await (const frame of videoFile({ source: new Blob(["no video"]), fps: 1 })) frame.close();
    };
    await expect(read()).rejects.toThrow("expected a video that this browser plays");
  });
});

describe("camera()", () => {
  it("yields the frames of getUserMedia and releases the camera", async () => {
    const tracks: MediaStreamTrack[] = [];
    const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    vi.spyOn(navigator.mediaDevices, "getUserMedia").mockImplementation(async (constraints) => {
      const stream = await original(constraints);
      tracks.push(...stream.getTracks());
      return stream;
    });
    let frames = 0;
    for await (const frame of camera({ video: { width: 320, height: 240 } })) {
      expect(frame.width).toBeGreaterThan(0);
      frame.close();
      if (++frames === 3) break;
    }
    expect(tracks.map(({ readyState }) => readyState)).toEqual(["ended"]);
  });

  it("throws with the browser's reason if there is no camera", async () => {
    vi.spyOn(navigator.mediaDevices, "getUserMedia").mockRejectedValue(
      new DOMException("Requested device not found", "NotFoundError"),
    );
    const read = async (): Promise<void> => {
      for await (const frame of camera()) frame.close();
    };
    await expect(read()).rejects.toMatchObject({
      code: "unsupported-platform",
      message: expect.stringContaining("NotFoundError: Requested device not found"),
    });
  });
});

it("directory(), rtsp(), and webcam() throw in a browser and name the alternative", () => {
  expect(() => directory()).toThrow("expected Node");
  for (const source of [rtsp, webcam]) expect(source).toThrow("expected Node; in a browser use camera()");
});
