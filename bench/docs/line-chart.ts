/** One line of a chart. */
export interface ChartLine {
  /** Text at `labelAt`, in the color of the line. */
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly dashed?: boolean;
  readonly color: "cloud" | "edge" | "quiet";
  readonly labelAt: { readonly x: number; readonly y: number };
}

/** A chart as an SVG that adapts to a light or dark page. */
export interface LineChart {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly x: {
    readonly ticks: readonly number[];
    readonly label: string;
    readonly format: (value: number) => string;
  };
  readonly y: { readonly ticks: readonly number[]; readonly format: (value: number) => string };
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 320, 56, 16, 12, 40];

/** Returns the chart as SVG text. */
export function lineChart({ title, lines, x, y }: LineChart): string {
  const scale = (ticks: readonly number[], { from, to }: { readonly from: number; readonly to: number }) => {
    const [low, high] = [ticks[0]!, ticks.at(-1)!];
    return (value: number): string => (from + ((value - low) / (high - low)) * (to - from)).toFixed(1);
  };
  const across = scale(x.ticks, { from: LEFT, to: WIDTH - RIGHT });
  const up = scale(y.ticks, { from: HEIGHT - BOTTOM, to: TOP });
  const grid = y.ticks.map(
    (tick) =>
      `<path class="grid" d="M${LEFT} ${up(tick)}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${(Number(up(tick)) + 4).toFixed(1)}" text-anchor="end">${y.format(tick)}</text>`,
  );
  const ticks = x.ticks.map(
    (tick, i) =>
      `<text x="${across(tick)}" y="${HEIGHT - 20}" text-anchor="${i === x.ticks.length - 1 ? "end" : "middle"}">${x.format(tick)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">
<title>${title}</title>
<style>text{fill:#566273}.grid{stroke:#dde2e8;fill:none}polyline{fill:none;stroke-width:2}.cloud{stroke:#c2410c}.edge{stroke:#0b7a75}.quiet{stroke:#566273}.dashed{stroke-dasharray:5 4}text{stroke:none!important}text.cloud{fill:#c2410c}text.edge{fill:#0b7a75}@media(prefers-color-scheme:dark){text{fill:#9aa7b5}.grid{stroke:#2c3742}.cloud{stroke:#fb923c}.edge{stroke:#2dd4bf}.quiet{stroke:#9aa7b5}text.cloud{fill:#fb923c}text.edge{fill:#2dd4bf}}</style>
${[...grid, ...ticks].join("\n")}
<text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 3}" text-anchor="middle">${x.label}</text>
${lines.map(({ points, color, dashed }) => `<polyline class="${color}${dashed ? " dashed" : ""}" points="${points.map((point) => `${across(point.x)},${up(point.y)}`).join(" ")}"/>`).join("\n")}
${lines.map(({ label, labelAt, color }) => `<text class="${color}" x="${across(labelAt.x)}" y="${up(labelAt.y)}">${label}</text>`).join("\n")}
</svg>
`;
}
