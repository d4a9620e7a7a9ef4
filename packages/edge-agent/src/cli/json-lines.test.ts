import { Writable } from "node:stream";
import type { JointResult } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { createJsonLines } from "./run-job.node.ts";

const answer = {
  index: 0,
  isHardExample: false,
  source: "edge",
  reason: "easy",
  final: true,
  timings: { edge: 1, cloud: 0, total: 1 },
  bytes: { up: 0, down: 0 },
  result: Float32Array.of(1),
  edgeResult: null,
  sample: {},
} as unknown as JointResult<unknown>;

describe("createJsonLines()", () => {
  it("waits for a slow reader on each write and leaks no listeners", async () => {
    const lines: string[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        lines.push(chunk.toString());
        setImmediate(done);
      },
    });
    const json = createJsonLines(slow, { onGone: () => {} });
    const names = ["drain", "close", "error", "finish"];
    const before = names.map((name) => slow.listenerCount(name));
    for (let i = 0; i < 50; i++) await json.write(answer);
    expect(lines).toHaveLength(50);
    expect(JSON.parse(lines[0]!)).toMatchObject({ index: 0, result: [1] });
    expect(names.map((name) => slow.listenerCount(name))).toEqual(before);
  });

  it("continues after the reader closes the stream and reports that once", async () => {
    const gone: string[] = [];
    const broken = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => done(new Error("EPIPE")),
    });
    const json = createJsonLines(broken, { onGone: ({ message }) => gone.push(message) });
    for (let i = 0; i < 3; i++) await json.write(answer);
    expect(gone).toEqual(["EPIPE"]);
  });
});
