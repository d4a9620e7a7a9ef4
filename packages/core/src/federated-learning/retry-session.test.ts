import { expect, it } from "vitest";
import { SednaError } from "../errors.ts";
import { retrySession } from "./retry-session.ts";

const gone = new SednaError("send: the connection failed", { code: "cloud-unreachable", retryable: true });
const ended = new SednaError("send: the session has ended", { code: "session-ended" });

/** Waits that were kept between tries that failed so. */
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

it("waits longer after each try", async () => {
  expect(await waits([gone, gone, gone, gone, gone])).toEqual([5, 10, 20, 40, 40]);
});

it("begins anew where an outage ends with a session that is over, and does not hammer who ends each", async () => {
  expect(await waits([gone, gone, gone, ended, gone])).toEqual([5, 10, 20, 5, 10]);
  expect(await waits([gone, ended, ended, ended])).toEqual([5, 5, 10, 20]);
});
