import { expect, it } from "vitest";
import { SednaError } from "../errors.ts";
import { retrySession } from "./retry-session.ts";

const gone = new SednaError("send: the connection failed", { code: "cloud-unreachable", retryable: true });
const ended = new SednaError("send: the session has ended", { code: "session-ended" });

/** Returns the delays between attempts that fail with these errors. */
async function waits(failures: readonly SednaError[]): Promise<number[]> {
  const kept: number[] = [];
  const left = [...failures];
  const work = async (): Promise<string> => {
    const error = left.shift();
    if (error) throw error;
    return "done";
  };
  const wait = async (ms: number): Promise<void> => void kept.push(ms);
  expect(
    await retrySession(work, {
      action: "send",
      signal: new AbortController().signal,
      baseMs: 10,
      capMs: 80,
      random: () => 0.5,
      wait,
      onRetry: () => {},
    }),
  ).toBe("done");
  return kept;
}

it("waits longer after each attempt", async () => {
  expect(await waits([gone, gone, gone, gone, gone])).toEqual([5, 10, 20, 40, 40]);
});

it("resets the backoff when an outage ends with an ended session, but backs off if each session ends", async () => {
  expect(await waits([gone, gone, gone, ended, gone])).toEqual([5, 10, 20, 5, 10]);
  expect(await waits([gone, ended, ended, ended])).toEqual([5, 5, 10, 20]);
});
