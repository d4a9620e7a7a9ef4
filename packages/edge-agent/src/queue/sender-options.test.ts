import { expect, it } from "vitest";
import { arrayQueue } from "../../../../testing/fakes/array-queue.ts";
import { createSender } from "./create-sender.ts";

it.each([
  [{ concurrency: 0 }, "expected concurrency"],
  [{ maxPerSecond: 0 }, "expected maxPerSecond"],
  [{ baseMs: 9, capMs: 8 }, "expected 0 < baseMs <= capMs"],
  [{ deadlineMs: -1 }, "set deadlineMs"],
  [{ url: "nowhere" }, "Invalid URL"],
])("createSender() refuses %o", (options, message) => {
  expect(() => createSender({ queue: arrayQueue(), url: "http://x", ...options })).toThrow(message);
});
