import { findChromium } from "../../scripts/chromium.ts";
import { supervisedSite } from "../../testing/servers/supervised-page.ts";
import { median, missing, type Figure } from "../result.ts";

const name = "agent recovery";
const LOSSES = 5;

/**
 * Measures the seconds from `device.destroy()` in the Worker of a model to the model's next result while
 * frames are processed, on the software adapter of a real Chromium. That includes detecting the loss,
 * terminating the Worker, starting a new one, compiling ONNX Runtime there, requesting another device,
 * checking the golden case, and repeating the frame in progress.
 */
export async function benchAgentRecovery(): Promise<Figure[]> {
  if (findChromium() === undefined)
    return [
      missing({
        name,
        metric: "first result after device.destroy()",
        reason: "no Chromium found; install it, or set CHROMIUM to the path of one",
      }),
    ];
  const site = await supervisedSite();
  try {
    const seconds: number[] = [];
    const opening: number[] = [];
    for (let i = 0; i < LOSSES; i++) {
      const page = await site.open();
      await page.evaluate(() => startSupervised({ providers: ["webgpu", "wasm"] }));
      const backend = await page.evaluate(() => supervised.load());
      if (backend !== "webgpu")
        return [
          missing({
            name,
            metric: "first result after device.destroy()",
            reason: `the page runs on ${backend}: no WebGPU adapter`,
          }),
        ];
      await page.evaluate(() => supervised.flow());
      await page.waitForFunction(() => supervised.counts().answered > 20);
      const lostAt = await page.evaluate(() => {
        supervised.destroyDevice();
        return supervised.now();
      });
      await page.waitForFunction(
        () => supervised.events().some(({ type }) => type === "model-recovered"),
        undefined,
        { timeout: 60_000 },
      );
      await page.evaluate(() => supervised.still());
      const events = await page.evaluate(() => supervised.events());
      const recovered = events.find(({ type }) => type === "model-recovered")!;
      if (!("backend" in recovered) || recovered.backend !== "webgpu")
        throw new Error(`measure the recovery: expected a new GPU device; got ${JSON.stringify(recovered)}`);
      seconds.push((recovered.at - lostAt) / 1000);
      opening.push(
        ...events.flatMap((event) => (event.type === "model-opened" ? [event.ms / 1000] : [])).slice(-1),
      );
      await page.evaluate(() => supervised.dispose());
      await page.close();
    }
    return [
      {
        name,
        metric: `first result after device.destroy(), median of ${LOSSES}`,
        value: median(seconds),
        unit: "s",
      },
      {
        name,
        metric: `first result after device.destroy(), worst of ${LOSSES}`,
        value: Math.max(...seconds),
        unit: "s",
      },
      {
        name,
        metric: `of which reopening the model, median of ${LOSSES}`,
        value: median(opening),
        unit: "s",
      },
    ];
  } finally {
    await site.close();
  }
}
