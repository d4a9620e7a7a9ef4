import type { Page } from "playwright";
import { describe, expect, it } from "vitest";
import { visitedDemo } from "./visited-demo.ts";

// Tests the page as a visitor uses it: built, served with its headers, in a real Chromium. Each button is
// pressed once, and the real agent must continue.

const { running, visit, count, grows } = visitedDemo();

const open = async ({
  base = running.demo!.url,
  query = "",
  ...options
}: { base?: string; query?: string; width?: number; ignore?: RegExp } = {}): Promise<Page> => {
  const page = await visit(`${base}carry-on.html${query}`, options);
  // The cloud serves the frames until then.
  await expect.poll(() => version(page), { timeout: 60_000 }).toBeGreaterThan(0);
  await isAnswering(page);
  return page;
};
/** Waits until more frames have results. */
const isAnswering = (page: Page, by = 3): Promise<void> => grows(page, "answered", by);
/** Presses a button when it is enabled: an `aria-disabled` button ignores clicks. */
const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true, disabled: false }).click({ timeout: 60_000 });
/** Returns the timeline's entries since the visitor's last action, oldest first. */
const told = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const rows = [...document.querySelectorAll("#timeline li")].map((row) => ({
      isYou: row.querySelector(".you") !== null,
      text: row.lastElementChild!.textContent ?? "",
    }));
    const deed = rows.findIndex(({ isYou }) => isYou);
    return rows
      .slice(0, deed < 0 ? undefined : deed)
      .map(({ text }) => text)
      .toReversed();
  });
const tells = (page: Page, what: RegExp): Promise<void> =>
  expect.poll(async () => (await told(page)).join("\n"), { timeout: 60_000, interval: 100 }).toMatch(what);
const version = async (page: Page): Promise<number> =>
  Number(/version (\d+)/.exec((await page.locator("#model").textContent()) ?? "")?.[1]);

describe("the carry-on page", () => {
  it("recovers after the Worker is killed and after it hangs", async () => {
    // The frame that a killed Worker held is garbage-collected without being closed.
    const page = await open({ query: "?providers=wasm", ignore: /VideoFrame was garbage collected/ });
    await press(page, "Kill the worker");
    await tells(page, /The Worker crashed.*runs again.*No frame was lost/s);
    await isAnswering(page);
    await press(page, "Hang the worker");
    await tells(page, /did not respond in time.*runs again.*No frame was lost/s);
    await isAnswering(page);
  });

  it("switches to a new GPU device when it loses the current one", async () => {
    // On a software adapter a frame takes long, and shader compilation even longer.
    const page = await open({ query: "?providers=webgpu" });
    await press(page, "Lose the GPU");
    await tells(page, /The GPU device was lost.*runs again on WebGPU.*No frame was lost/s);
    await isAnswering(page);
  });

  it("explains that there is no GPU to lose if the model runs on WASM, and fits a phone", async () => {
    const page = await open({ query: "?providers=wasm", width: 360 });
    expect(await page.locator("#backend").textContent()).toBe("WASM");
    expect(await page.locator("#lose-gpu").getAttribute("aria-disabled")).toBe("true");
    expect(await page.locator("#about-gpu").textContent()).toBe(
      "The model runs on WASM, so there is no GPU to lose.",
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it("stores hard examples while the network is cut and sends them when it is restored", async () => {
    const page = await open();
    await expect.poll(() => count(page, "sent"), { timeout: 30_000 }).toBeGreaterThan(0);
    await press(page, "Cut the network");
    await expect.poll(() => count(page, "waiting"), { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    expect(await page.locator("#cloud").textContent()).toBe("network cut");
    await isAnswering(page);
    await press(page, "Restore the network");
    await tells(page, /All pending hard examples, at most \d+, have been sent\./);
    await isAnswering(page);
  });

  it("installs a good model between two frames", async () => {
    const page = await open();
    const before = await version(page);
    await press(page, "Push a good model");
    await tells(
      page,
      /passes its golden case.*live frames in a shadow run and agrees.*runs from this frame on instead of version \d+\. No frame was lost/s,
    );
    await expect.poll(() => version(page)).toBe(before + 1);
    await isAnswering(page);
  });

  it("rejects each bad model by its check, keeps the good one, and installs the next good one", async () => {
    const page = await open();
    const before = await version(page);
    const answers = [
      ["nan", /rejected: its output on the golden case is wrong/],
      [
        "worse",
        /passes its golden case.*rejected: it disagreed with the old version too much in the shadow run/s,
      ],
      ["bit", /could not be downloaded as described in its manifest, so it is not installed/],
      ["forged", /rejected: no key that this edge trusts has signed it/],
    ] as const;
    for (const [kind, sentence] of answers) {
      await page.locator("#bad-kind").selectOption(kind);
      await press(page, "Push a bad model");
      await tells(page, sentence);
      expect(await version(page)).toBe(before);
      await isAnswering(page);
    }
    await press(page, "Push a good model");
    await expect.poll(() => version(page), { timeout: 60_000 }).toBe(before + answers.length + 1);
    await isAnswering(page);
  });

  it("works without a server and states that no examples are sent", async () => {
    const { preview } = await import("vite");
    const configFile = new URL("../vite.config.ts", import.meta.url).pathname;
    const host = await preview({ configFile, logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
    const address = host.httpServer.address() as { port: number };
    const page = await open({ base: `http://127.0.0.1:${address.port}/`, ignore: /Failed to load resource/ });
    expect(await page.locator("#about-samples").textContent()).toContain("hard examples are not sent");
    expect(await page.locator("#waiting").textContent()).toBe("-");
    await page.close();
    await host.close();
  });

  it("can be used by keyboard and keeps the focus on the pressed button", async () => {
    const page = await open();
    await page.locator("#kill-worker").focus();
    const reached: string[] = [];
    for (let i = 0; i < 6; i++) {
      reached.push(await page.evaluate(() => document.activeElement?.id ?? ""));
      await page.keyboard.press("Tab");
    }
    expect(reached).toEqual(["kill-worker", "hang-worker", "network", "push-good", "bad-kind", "push-bad"]);
    await page.locator("#network").focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#network").getAttribute("aria-pressed")).toBe("true");
    await page.locator("#push-good").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("#push-good").getAttribute("aria-disabled")).toBe("true");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("push-good");
  });
});
