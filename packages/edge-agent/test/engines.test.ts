import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumEngine } from "../../../testing/engines/chromium.ts";
import { serveEnginePage } from "../../../testing/engines/engine-page.ts";
import type { EngineReport } from "../../../testing/engines/engine-check.ts";
import { firefoxEngine } from "../../../testing/engines/firefox.ts";
import { webkitEngine } from "../../../testing/engines/webkit.ts";

// Runs one page of checks in three engines, built and served as an app is. The features that an engine lacks
// are listed here, so that every change is noticed, including an improvement.

const page: { current?: Awaited<ReturnType<typeof serveEnginePage>> } = {};
beforeAll(async () => void (page.current = await serveEnginePage()));
afterAll(() => page.current?.close());

const engines = [
  { name: "Chromium", engine: chromiumEngine(), lacks: ["WebGPU shader-f16"], orElse: [] },
  // Firefox has WebGPU only with a Vulkan driver: on Debian the package mesa-vulkan-drivers.
  {
    name: "Firefox",
    engine: firefoxEngine(),
    lacks: ["WebGPU subgroups", "MediaStreamTrackProcessor"],
    orElse: ["WebGPU", "WebGPU shader-f16"],
  },
  {
    name: "WebKitGTK",
    engine: webkitEngine(),
    lacks: [
      "SharedArrayBuffer",
      "WebGPU",
      "WebGPU shader-f16",
      "WebGPU subgroups",
      "OPFS",
      "OPFS writable streams",
      "persistent storage",
      "MediaStreamTrackProcessor",
      "JSPI",
    ],
    orElse: [],
  },
];
const reports = new Map<string, EngineReport>();

describe.each(engines)("$name", ({ name, engine, lacks, orElse }) => {
  const skipped = engine ? "" : ` (SKIPPED: ${name} is not installed)`;

  it.skipIf(!engine)(
    `passes all checks whose features it has, and lacks exactly the listed features${skipped}`,
    async () => {
      const report = await engine!.report(page.current!.url);
      reports.set(name, report);
      expect(report.outcomes.filter(({ state }) => state === "failed")).toEqual([]);
      expect(report.outcomes.filter(({ state }) => state === "passed").length).toBeGreaterThanOrEqual(10);
      expect(report.notThere.filter((one) => !orElse.includes(one))).toEqual(lacks);
      const excused = report.outcomes.filter(({ state }) => state === "not there").map(({ note }) => note);
      expect(excused.filter((note) => !report.notThere.includes(note))).toEqual([]);
    },
  );
});

const firefox = engines[1]!.engine;
it.skipIf(!firefox)(
  `computes f16 correctly in Firefox, the second implementation of WebGPU${firefox ? "" : " (SKIPPED: Firefox is not installed)"}`,
  ({ skip }) => {
    const report = reports.get("Firefox");
    if (report?.notThere.includes("WebGPU shader-f16"))
      skip("Firefox finds no Vulkan driver with f16; on Debian: apt-get install mesa-vulkan-drivers");
    const passed = report?.outcomes.filter(({ state }) => state === "passed").map(({ name }) => name);
    expect(passed).toContain("WGSL computes in f16: 1.5 * 1.5 = 2.25, and rounds to f16");
    expect(passed).toContain("ONNX Runtime computes a float16 model on WebGPU");
  },
);
