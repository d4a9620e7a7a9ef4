import { describe, expect, it } from "vitest";
import type { AgentEvent } from "../agent/agent-events.ts";
import { createEventLog } from "./event-log.ts";

function logging() {
  const lines: [string, string, object][] = [];
  const clock = { ms: 0 };
  const write =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push([level, message, fields]);
  const log = createEventLog({
    logger: { debug: write("debug"), info: write("info"), warn: write("warn") },
    everyMs: 1000,
    now: () => clock.ms,
  });
  return { lines, clock, log };
}

describe("createEventLog()", () => {
  it("logs failures as warnings and per-sample events at debug level", () => {
    const { lines, log } = logging();
    for (const type of ["item-sent", "model-opened", "source-failed", "update-rolled-back", "model-missing"])
      log({ type });
    expect(lines.map(([level, type]) => [type, level])).toEqual([
      ["item-sent", "debug"],
      ["model-opened", "info"],
      ["source-failed", "warn"],
      ["update-rolled-back", "warn"],
      ["model-missing", "warn"],
    ]);
  });

  it("limits every warning that may come with each sample or poll, so that logs do not fill the disk", () => {
    const { lines, log } = logging();
    const bad: AgentEvent["type"][] = [
      "upload-rejected",
      "upload-paused",
      "upload-failed",
      "sample-lost",
      "item-dropped",
      "update-postponed",
      "queue-degraded",
      "model-damaged",
      "model-not-kept",
      "leader-unknown",
    ];
    for (const type of bad) for (let i = 0; i < 100; i++) log({ type });
    expect(lines.map(([level, type]) => [type, level])).toEqual(bad.map((type) => [type, "warn"]));
  });

  it("C6: logs drops of a full queue at most once per interval, with the number omitted, separately per reason", () => {
    const { lines, clock, log } = logging();
    for (let i = 0; i < 5000; i++) {
      clock.ms = i;
      log({ type: "item-dropped", reason: "full" } as { type: string });
      if (i === 10) log({ type: "item-dropped", reason: "expired" } as { type: string });
    }
    expect(lines.map(([, , fields]) => fields)).toEqual([
      { reason: "full" },
      { reason: "expired" },
      ...Array.from({ length: 4 }, () => ({ reason: "full", leftOut: 999 })),
    ]);
  });
});
