import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { untilResumed } from "@sedna-js/core/training";
import { describe, expect, it } from "vitest";
import { trainingPauses } from "./training-pauses.ts";
import { watchPauses } from "./watch-pauses.node.ts";

describe("trainingPauses() in Node", { timeout: 20_000 }, () => {
  it("does not pause by default", () => {
    using pauses = trainingPauses();
    expect([pauses.paused, pauses.reasons]).toEqual([false, []]);
  });

  it("pauses while the caller's condition holds, and while it throws", async () => {
    const condition = { answer: (): boolean => false };
    const heard: boolean[] = [];
    using pauses = trainingPauses({ pauseWhen: () => condition.answer(), everyMs: 5 });
    pauses.onChange(() => heard.push(pauses.paused));
    const changed = (): Promise<void> =>
      new Promise((resolve) => {
        const stop = pauses.onChange(() => (stop(), resolve()));
      });
    expect(pauses.paused).toBe(false);
    let next = changed();
    condition.answer = () => true;
    await next;
    expect(pauses.reasons).toEqual(["condition"]);
    const resumed = untilResumed(pauses);
    next = changed();
    condition.answer = () => false;
    await Promise.all([next, resumed]);
    next = changed();
    condition.answer = () => {
      throw new Error("cannot tell");
    };
    await next;
    expect(heard).toEqual([true, false, true]);
  });

  it("resumes all waiting calls when it is disposed, and never pauses afterwards", async () => {
    const pauses = trainingPauses({ pauseWhen: () => true, everyMs: 5 });
    await expect.poll(() => pauses.paused, { timeout: 5000 }).toBe(true);
    const resumed = untilResumed(pauses);
    pauses.dispose();
    pauses.dispose();
    await resumed;
    expect(pauses.paused).toBe(false);
  });

  it("stops waiting when the caller aborts", async () => {
    using pauses = trainingPauses({ pauseWhen: () => true, everyMs: 5 });
    await expect.poll(() => pauses.paused, { timeout: 5000 }).toBe(true);
    const controller = new AbortController();
    const waiting = untilResumed(pauses, controller.signal);
    controller.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
    await expect(untilResumed(pauses, controller.signal)).rejects.toThrow("left");
  });

  it("rejects invalid settings", () => {
    expect(() => trainingPauses({ battery: { below: 30 } })).toThrow(
      "expected battery.below from 0 to 1; got 30",
    );
    expect(() => trainingPauses({ everyMs: 0 })).toThrow("expected everyMs above 0; got 0");
  });
});

describe("watchPauses() with a Linux battery", { timeout: 30_000 }, () => {
  /** Returns what is reported for files like those of /sys/class/power_supply, by supply. */
  async function told(
    supplies: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ): Promise<boolean> {
    const directory = await mkdtemp(join(tmpdir(), "sedna-power-"));
    for (const [name, files] of Object.entries(supplies)) {
      await mkdir(join(directory, name));
      for (const [file, text] of Object.entries(files))
        await writeFile(join(directory, name, file), `${text}\n`);
    }
    const end = new AbortController();
    const low = await new Promise<boolean>((resolve) =>
      watchPauses(
        {
          settings: { battery: { below: 0.3 } },
          tell: (_, isActive) => resolve(isActive),
          signal: end.signal,
        },
        { directory },
      ),
    );
    end.abort();
    await rm(directory, { recursive: true });
    return low;
  }
  const battery = { type: "Battery", status: "Discharging", capacity: "20" };

  it("pauses while the battery discharges and is low", async () => {
    expect(await told({ BAT0: battery, AC: { type: "Mains", online: "0" } })).toBe(true);
    expect(await told({ BAT0: { ...battery, capacity: "30" } })).toBe(false);
    expect(await told({ BAT0: { ...battery, status: "Charging" } })).toBe(false);
    expect(await told({ BAT0: battery, BAT1: { ...battery, capacity: "90" } })).toBe(false);
  });

  it("does not pause for a mouse's battery, a battery without a level, or no battery", async () => {
    expect(await told({ mouse: { ...battery, scope: "Device" } })).toBe(false);
    expect(await told({ BAT0: { type: "Battery", status: "Discharging" } })).toBe(false);
    expect(await told({ AC: { type: "Mains", online: "1" } })).toBe(false);
    expect(await told({})).toBe(false);
  });
});
