import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  controlSocket,
  createCloud,
  createFederation,
  federationService,
  anonymousSessions,
  sednaAggregation,
  serve,
  type Federation,
  type Serving,
} from "@sedna-js/cloud";
import { aggregation, select } from "@sedna-js/core";
import type { Page } from "playwright";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { startDemo, type Demo } from "../server/start.ts";
import { visitedDemo } from "./visited-demo.ts";

// Tests the page as visitors use it: several tabs of a real Chromium, a real aggregator on a socket, real
// digits.

const { running, visit } = visitedDemo();
const others: Page[] = [];
const demos: Demo[] = [];
afterEach(async () => {
  for (const page of others.splice(0)) await page.close();
});
// Close the servers after their pages, which keep sending requests.
afterAll(async () => {
  for (const demo of demos) await demo.close();
});

const percentOf = async (page: Page, id: string): Promise<number> =>
  Number.parseFloat((await page.locator(`#${id}`).textContent()) ?? "");
const roundOf = async (page: Page): Promise<number> =>
  Number.parseInt((await page.locator("#round").textContent()) ?? "", 10);
/** Opens another visitor's tab. */
const another = async (url: string): Promise<Page> => {
  const tab = await running.browser!.newPage();
  others.push(tab);
  await tab.goto(url);
  return tab;
};
const room = (name: string, demo: Demo = running.demo!): string =>
  `${demo.url}train-together.html?room=${name}`;

describe("the train-together page", () => {
  it("reaches a higher accuracy with two tabs than with one, and continues when one drops out", async () => {
    const first = await visit(`${room("twotabs")}&share=1`);
    expect(await first.locator("#headline").textContent()).not.toContain("could not");
    const second = await another(`${room("twotabs")}&share=2`);
    await expect.poll(() => percentOf(first, "together"), { timeout: 60_000 }).toBeGreaterThan(45);
    expect(await percentOf(first, "together")).toBeGreaterThan(await percentOf(first, "alone"));
    expect(await first.locator("#people li").count()).toBe(2);
    await second.getByRole("button", { name: "Drop out" }).click();
    await expect
      .poll(() => second.locator("#doing").textContent(), { timeout: 20_000 })
      .toBe("This tab no longer participates.");
    await expect
      .poll(
        async () =>
          (await first.locator("#people li.left").count()) +
          (await first.locator("#people li.dropped").count()),
        { timeout: 20_000 },
      )
      .toBe(1);
    await second.getByRole("button", { name: "Rejoin" }).click();
    const before = await roundOf(first);
    await expect.poll(() => roundOf(first), { timeout: 30_000 }).toBeGreaterThan(before + 1);
  });

  it("adds noise in the private mode and shows epsilon", async () => {
    const first = await visit(`${room("private")}&mode=private&share=1`);
    await another(`${room("private")}&mode=private&share=2`);
    await expect
      .poll(async () => (await first.locator("#epsilon").textContent()) ?? "", { timeout: 60_000 })
      .toMatch(/^ε [1-9]\d*\.\d at δ 0\.00001$/);
  });

  it("adds up masked updates of three tabs, so that the server sees no single update", async () => {
    const first = await visit(`${room("masked")}&mode=secure&share=0`);
    await expect.poll(() => first.locator("#about-mode").textContent()).toContain("mask");
    await another(`${room("masked")}&mode=secure&share=1`);
    await expect
      .poll(() => first.locator("#headline").textContent(), { timeout: 20_000 })
      .toContain("training begins with three");
    await another(`${room("masked")}&mode=secure&share=2`);
    await expect.poll(() => percentOf(first, "together"), { timeout: 90_000 }).toBeGreaterThan(45);
  });

  it("fits a phone", async () => {
    const page = await visit(`${room("phone")}&share=0`, { width: 360 });
    await expect.poll(() => page.locator("#about-digits").textContent()).toMatch(/^\d+ digits: mostly/);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it("finishes a federation of two tabs and Sedna's own client in Python", async ({ skip }) => {
    const python = process.env["SEDNA_PYTHON"] ?? "python3";
    try {
      execFileSync(python, ["-c", "import websockets"], { stdio: "ignore", timeout: 20_000 });
    } catch {
      skip(
        `${python} cannot import websockets: python3 -m pip install websockets, or name a Python that can in SEDNA_PYTHON`,
      );
    }
    const { serving, federation } = await sednaCloud("digits-plain-sedna");
    const demo = await startDemo({ cloud: serving });
    demos.push(demo);
    const first = await visit(`${room("sedna", demo)}&share=1`);
    const second = await another(`${room("sedna", demo)}&share=2`);
    const script = fileURLToPath(new URL("../../testing/python/sedna_client.py", import.meta.url));
    const { stdout } = await promisify(execFile)(
      python,
      [script, `${serving.url.replace("http", "ws")}/FedAvg`, "python", "100", "1", "[[10,196],[10]]"],
      { timeout: 90_000, maxBuffer: 2 ** 26 },
    );
    const told = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { round: number; flag: string; weights: number[] });
    expect(told.map(({ round, flag }) => ({ round, flag }))).toEqual(
      [1, 2, 3].map((round) => ({ round, flag: round === 3 ? "ok" : "continue" })),
    );
    for (const tab of [first, second])
      await expect
        .poll(() => tab.locator("#doing").textContent(), { timeout: 20_000 })
        .toMatch(/^(All rounds are over|This tab no longer)/);
    const { state, history, clients } = federation.status();
    expect({
      state,
      accepted: history.map(({ accepted }) => accepted),
      kinds: clients.map(({ kind }) => kind).toSorted(),
    }).toEqual({ state: "done", accepted: [3, 3, 3], kinds: ["sedna-js", "sedna-js", "sedna-v1"] });
    expect(Float32Array.from(told.at(-1)!.weights)).toEqual(federation.model(3)!.parameters);
  });
});

/**
 * Starts a cloud with a federation of three clients and three rounds that accepts Sedna's clients and ours.
 */
async function sednaCloud(
  name: string,
): Promise<{ readonly serving: Serving; readonly federation: Federation }> {
  const federation = createFederation({
    name,
    model: { head: { kind: "softmax", features: 196, classes: 10 } },
    aggregator: select(aggregation, { method: "FedAvg" }),
    uploads: { encoding: "int8" },
    rounds: { numRounds: 3, participants: 3, minFraction: 1, deadlineMs: 60_000, selectionMs: 60_000 },
  });
  const federations = [federation];
  const sessions = anonymousSessions();
  const cloud = createCloud({
    services: [
      federationService({ federations, sessions, sockets: [controlSocket({ federations, sessions })] }),
      sednaAggregation({ federation }),
    ],
  });
  await cloud.start();
  return { serving: await serve(cloud, { port: 0 }), federation };
}
