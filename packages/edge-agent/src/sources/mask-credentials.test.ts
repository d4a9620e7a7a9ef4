import { expect, it } from "vitest";
import { maskCredentials } from "./mask-credentials.ts";

it.each<[string, string]>([
  ["rtsp://admin:s3cret@10.0.0.7:554/live", "rtsp://admin:***@10.0.0.7:554/live"],
  ["a password with an @: rtsp://a:p@ss@host/x", "a password with an @: rtsp://a:***@host/x"],
  ["[tcp] rtsp://a:b@h/1 and rtsps://c:d@i/2 failed", "[tcp] rtsp://a:***@h/1 and rtsps://c:***@i/2 failed"],
  ["rtsp://h:554/user=admin&password=s3cret&channel=1", "rtsp://h:554/user=admin&password=***&channel=1"],
  ["https://h/v.mp4?token=abc&x=1", "https://h/v.mp4?token=***&x=1"],
  ["rtsp://:only@h/", "rtsp://:***@h/"],
  ["rtsp://host:554/path is as it was", "rtsp://host:554/path is as it was"],
  ["mail me@example.com at 10:30", "mail me@example.com at 10:30"],
])("maskCredentials() of %s", (text, masked) => {
  expect(maskCredentials(text)).toBe(masked);
});
