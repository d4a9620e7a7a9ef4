import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Detections, JointResult } from "@sedna-js/edge-agent";

const WINDOW_S = 60;

/** The live charts. See {@link createCharts}. */
export interface Charts {
  add(result: JointResult<Detections>): void;
}

/** Options of {@link createCharts}. */
interface ChartsOptions {
  readonly latency: HTMLElement;
  readonly ratio: HTMLElement;
  readonly bytes: HTMLElement;
}

/**
 * Creates three charts of the last minute with one point per second: median latencies, upload ratio, and
 * bytes.
 */
export function createCharts(places: ChartsOptions): Charts {
  const seconds: number[] = Array.from({ length: WINDOW_S }, (_, i) => i - WINDOW_S + 1);
  const empty = (): (number | null)[] => seconds.map(() => null);
  const [edge, cloud, ratio, bytes] = [empty(), empty(), empty(), empty()];
  let now = { edge: [] as number[], cloud: [] as number[], sent: 0, answered: 0, bytes: 0 };

  const latency = lines(
    places.latency,
    [
      { label: "edge", color: "--edge" },
      { label: "cloud", color: "--cloud" },
    ],
    () => [seconds, edge, cloud],
  );
  const share = lines(places.ratio, [{ label: "sent", color: "--cloud" }], () => [seconds, ratio], {
    max: 100,
  });
  const traffic = lines(places.bytes, [{ label: "KB/s", color: "--cloud" }], () => [seconds, bytes]);

  setInterval(() => {
    push(edge, median(now.edge));
    push(cloud, median(now.cloud));
    push(ratio, now.answered ? (100 * now.sent) / now.answered : null);
    push(bytes, now.answered ? now.bytes / 1024 : null);
    now = { edge: [], cloud: [], sent: 0, answered: 0, bytes: 0 };
    for (const draw of [latency, share, traffic]) draw();
  }, 1000);

  return {
    add({ timings, source, bytes: { up } }) {
      now.answered++;
      now.bytes += up;
      if (timings.edge > 0) now.edge.push(timings.edge);
      if (source === "cloud") {
        now.sent++;
        now.cloud.push(timings.cloud);
      }
    },
  };
}

function push(series: (number | null)[], value: number | null): void {
  series.shift();
  series.push(value);
}

function median(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** A position in a chart to mark with a dashed line. */
export interface Mark {
  readonly x: number;
  readonly label: string;
}

/** Options of {@link lines}. */
interface LinesOptions {
  min?: number;
  max?: number;
  x?: (value: number) => string;
  height?: number;
  marks?: () => readonly Mark[];
}

/**
 * Draws a line chart that follows the width of its container and the page's colors. Returns a function that
 * redraws it.
 */
export function lines(
  place: HTMLElement,
  series: readonly { readonly label: string; readonly color: string; readonly dash?: number[] }[],
  data: () => UPlot.AlignedData | (readonly (number | null)[])[],
  { min = 0, max, x = (value: number) => `${value} s`, height = 130, marks }: LinesOptions = {},
): () => void {
  const color = (name: string): string =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = {
    stroke: () => color("--quiet"),
    grid: { stroke: () => color("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  const options: UPlot.Options = {
    width: place.clientWidth || 300,
    height,
    legend: { show: series.length > 1, live: false },
    cursor: { show: false },
    scales: {
      x: { time: false },
      y: { range: (_, _min, top) => [min, max ?? Math.max(1, (top || 1) * 1.1)] },
    },
    axes: [
      { ...axis, values: (_, splits) => splits.map(x), space: 60, size: 26 },
      { ...axis, size: 38 },
    ],
    series: [
      {},
      ...series.map(({ label, color: name, dash }) => ({
        label,
        stroke: () => color(name),
        width: 2,
        points: { show: false },
        ...(dash ? { dash } : {}),
      })),
    ],
    hooks: marks
      ? {
          draw: [
            (chart) => drawMarks(chart, { marks: marks(), ink: color("--ink"), ground: color("--card") }),
          ],
        }
      : {},
  };
  const chart = new UPlot(options, data() as UPlot.AlignedData, place);
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.redraw());
  return () => chart.setData(data() as UPlot.AlignedData);
}

/** Options of {@link drawMarks}. */
interface DrawMarksOptions {
  readonly marks: readonly Mark[];
  readonly ink: string;
  readonly ground: string;
}

/** Draws each label beside its line, in alternating rows, so that close labels are legible. */
function drawMarks(
  { ctx, bbox: { left, top, width, height }, valToPos }: UPlot,
  { marks, ink, ground }: DrawMarksOptions,
): void {
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  Object.assign(ctx, {
    fillStyle: ink,
    lineJoin: "round",
    font: `${11 * ratio}px system-ui, sans-serif`,
    textBaseline: "top",
  });
  for (const [i, { x, label }] of marks.entries()) {
    const at = Math.round(valToPos(x, "x", true));
    Object.assign(ctx, { strokeStyle: ink, lineWidth: ratio });
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(at, top);
    ctx.lineTo(at, top + height);
    ctx.stroke();
    const fits = at + ctx.measureText(label).width + 8 * ratio < left + width;
    ctx.textAlign = fits ? "left" : "right";
    const place = [at + (fits ? 4 : -4) * ratio, top + (2 + 13 * (i % 3)) * ratio] as const;
    // Outline the text in the background color, so that it is legible over a curve.
    Object.assign(ctx, { strokeStyle: ground, lineWidth: 4 * ratio });
    ctx.setLineDash([]);
    ctx.strokeText(label, ...place);
    ctx.fillText(label, ...place);
  }
  ctx.restore();
}
