import { describe, expect, it } from "vitest";
import { rtsp, videoFile, webcam, webcamInput } from "./ffmpeg.node.ts";

describe("rtsp()", () => {
  it.each<[string, unknown, string]>([
    ["an ffmpeg option", "-i", 'expected url as rtsp://host/path; got "-i"'],
    ["a file", "file:///etc/passwd", "expected a URL of rtsp or rtsps; got file:///etc/passwd"],
    [
      "another protocol that ffmpeg supports",
      "concat:rtsp://a|/etc/passwd",
      "expected a URL of rtsp or rtsps",
    ],
    [
      "an http URL, without showing its password",
      "http://admin:s3cret@camera/",
      "got http://admin:***@camera/",
    ],
    ["nothing", undefined, "got undefined"],
  ])("refuses %s", (_, url, message) => {
    expect(() => rtsp({ url: url as string })).toThrow(message);
  });

  it("rejects settings that ffmpeg does not support", () => {
    const url = "rtsp://a:s3cret@camera/";
    expect(() => rtsp({ url, fps: 0 })).toThrow(
      new RangeError("read rtsp://a:***@camera/: expected fps above 0; got 0"),
    );
    expect(() => rtsp({ url, width: 0.5 })).toThrow("expected width as an integer from 1 to 16384; got 0.5");
    expect(() => rtsp({ url, stallMs: Infinity })).toThrow("expected stallMs");
    expect(() => rtsp({ url, fps: "25,drawtext=textfile=/etc/passwd" as never })).toThrow(RangeError);
    expect(() => rtsp({ url, transport: "listen" as never })).toThrow(
      'expected transport tcp or udp; got "listen"',
    );
  });
});

describe("videoFile() in Node", () => {
  it.each<[string, unknown]>([
    ["another protocol", new URL("concat:a")],
    ["nothing", undefined],
    ["an empty path", ""],
  ])("refuses %s", (_, source) => {
    expect(() => videoFile({ source, fps: 1 })).toThrow("expected a path, or a URL of file, http or https");
  });

  it("rejects a missing fps", () => {
    expect(() => videoFile({ source: "a.mp4" } as never)).toThrow("expected fps above 0; got undefined");
  });
});

describe("webcam()", () => {
  it.each<[string, string | undefined, readonly string[]]>([
    ["linux", undefined, ["-f", "v4l2", "-i", "/dev/video0"]],
    ["linux", "/dev/v4l/by-id/gate", ["-f", "v4l2", "-i", "/dev/v4l/by-id/gate"]],
    ["darwin", undefined, ["-f", "avfoundation", "-i", "0:none"]],
    ["win32", "Integrated Camera", ["-f", "dshow", "-i", "video=Integrated Camera"]],
  ])("opens the camera on %s: %s", (platform, device, input) => {
    expect(webcamInput({ platform, device }).input).toEqual(input);
  });

  it("requires a camera name on Windows and lists the supported systems", () => {
    expect(() => webcamInput({ platform: "win32", device: undefined })).toThrow(
      "ffmpeg -list_devices true -f dshow -i dummy lists them",
    );
    expect(() => webcamInput({ platform: "sunos", device: undefined })).toThrow(
      "expected Linux, macOS or Windows; got sunos",
    );
    expect(() => webcam({ device: "" })).toThrow('expected device as the camera\'s name; got ""');
  });
});
