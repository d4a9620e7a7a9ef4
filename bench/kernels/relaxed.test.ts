import { describe, expect, it } from "vitest";
import { findChromium } from "../../scripts/chromium.ts";
import { isMissing } from "../peers/peer.ts";
import { createBrowserContestant } from "./relaxed.ts";
import type { ExampleParams } from "./relaxed-example-page.ts";

const reason = findChromium() === undefined ? "no Chromium installed" : undefined;
const skipped = reason === undefined ? "" : ` (SKIPPED: ${reason})`;

describe("createBrowserContestant()", () => {
  it.skipIf(reason)(
    `runs a TypeScript module with the kernels in a page and measures its time there${skipped}`,
    async () => {
      const contestant = await createBrowserContestant<ExampleParams>({
        entry: new URL("relaxed-example-page.ts", import.meta.url),
      });
      if (isMissing(contestant)) throw new Error(contestant.reason);
      try {
        expect(contestant.version).toMatch(/^\d+\.\d+/);
        await contestant.prepare({ images: 1003 });
        const ms = await contestant.run(200);
        expect(ms).toBeGreaterThan(0);
        expect(await contestant.run(1)).toBeGreaterThanOrEqual(0);
      } finally {
        await contestant.dispose();
      }
    },
    60_000,
  );

  it.skipIf(reason)(
    `rejects with the error that the page throws${skipped}`,
    async () => {
      const contestant = await createBrowserContestant({
        entry: new URL("relaxed-example-page.ts", import.meta.url),
      });
      if (isMissing(contestant)) throw new Error(contestant.reason);
      await expect(contestant.run(1)).rejects.toThrow("undefined");
      await contestant.dispose();
    },
    60_000,
  );
});
