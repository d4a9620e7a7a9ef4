import { agreement } from "@sedna-js/edge-agent";
import labelsUrl from "../../models/vtest/labels.json?url";
import recordsUrl from "../../models/vtest/records.json?url";
import recording from "../../models/vtest/vtest.mp4?url";
import { byId, percent } from "./dom.ts";

// A tool that shows every labeled frame with the results of both models.

type Rows = readonly (readonly number[])[];
interface Labels {
  readonly fps: number;
  readonly rule: string;
  readonly frames: readonly { readonly frame: number; readonly boxes: Rows; readonly ignore: Rows }[];
}
interface Records {
  readonly frames: readonly { readonly little: Rows; readonly big: Rows }[];
}

const read = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;
const [{ fps, rule, frames }, records] = await Promise.all([
  read<Labels>(labelsUrl),
  read<Records>(recordsUrl),
]);
const video = byId("video", HTMLVideoElement);
const canvas = byId("overlay", HTMLCanvasElement);
const slider = byId("frame", HTMLInputElement);
const layers = ["label", "ignore", "edge", "cloud"] as const;

function boxesOf(index: number): Record<(typeof layers)[number], Rows> {
  const { frame, boxes, ignore } = frames[index]!;
  const { little, big } = records.frames[frame]!;
  return {
    label: boxes,
    ignore,
    edge: little.filter((row) => row[4]! >= 0.3),
    cloud: big.filter((row) => row[4]! >= 0.45),
  };
}

function draw(): void {
  const context = canvas.getContext("2d")!;
  Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
  const boxes = boxesOf(slider.valueAsNumber);
  for (const layer of layers) {
    if (!byId(`show-${layer}`, HTMLInputElement).checked) continue;
    context.strokeStyle = getComputedStyle(canvas).getPropertyValue(`--${layer}`);
    context.lineWidth = layer === "label" ? 3 : 2;
    context.setLineDash(layer === "ignore" ? [4, 4] : []);
    for (const [x1, y1, x2, y2] of boxes[layer] as readonly [number, number, number, number][])
      context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  }
}

function show(): void {
  const index = slider.valueAsNumber;
  const { frame } = frames[index]!;
  const { label, edge, cloud } = boxesOf(index);
  const f1 = (found: Rows): string =>
    percent(agreement({ found: found.map((row) => row.slice(0, 5)), reference: label }).f1, 0);
  byId("said").textContent =
    `Frame ${frame} (${index + 1} of ${frames.length}): ${label.length} people. F1 of the little model: ${f1(edge)}. F1 of the big model: ${f1(cloud)}.`;
  video.currentTime = (frame + 0.5) / fps;
}

slider.max = String(frames.length - 1);
byId("rule").textContent = `Labeling rule: ${rule}`;
slider.addEventListener("input", show);
video.addEventListener("seeked", draw);
for (const layer of layers) byId(`show-${layer}`).addEventListener("change", draw);
const step = (by: number): void => {
  slider.valueAsNumber += by;
  show();
};
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
video.addEventListener("loadeddata", show, { once: true });
video.src = recording;
