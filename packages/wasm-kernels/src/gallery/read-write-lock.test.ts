import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createReadWriteLock } from "./read-write-lock.ts";

const kinds = fc.array(fc.record({ kind: fc.constantFrom("read", "write"), fails: fc.boolean() }), {
  maxLength: 12,
});

describe("createReadWriteLock()", () => {
  it("keeps the order of tasks around every write and runs no other task during a write", async () => {
    await fc.assert(
      fc.asyncProperty(kinds, fc.scheduler(), async (tasks, scheduler) => {
        const turns = createReadWriteLock();
        const running = new Set<number>();
        const ended = new Set<number>();
        const results = tasks.map(({ kind, fails }, i) =>
          turns[kind](async () => {
            const before = tasks.slice(0, i);
            // A read waits for earlier writes. A write waits for all earlier tasks.
            before.forEach((one, j) => {
              if (kind === "write" || one.kind === "write") expect(ended.has(j)).toBe(true);
            });
            if (kind === "write") expect(running.size).toBe(0);
            running.add(i);
            await scheduler.schedule(Promise.resolve());
            running.delete(i);
            ended.add(i);
            if (fails) throw new Error(`task ${i}`);
            return i;
          }),
        );
        const settled = Promise.allSettled(results);
        await scheduler.waitFor(settled);
        expect(await settled).toEqual(
          tasks.map(({ fails }, i) =>
            fails
              ? { status: "rejected", reason: new Error(`task ${i}`) }
              : { status: "fulfilled", value: i },
          ),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("runs reads concurrently", async () => {
    const turns = createReadWriteLock();
    let meet!: () => void;
    const met = new Promise<void>((resolve) => (meet = resolve));
    await Promise.all([turns.read(() => met), turns.read(() => meet())]);
  });
});
