import { SIDE } from "./digits-share.ts";

/** Digits to draw, with captions. */
export interface DrawnDigits {
  /** `[n, 28, 28]` */
  readonly pixels: Uint8Array;
  readonly count: number;
  /** Returns the text below a digit. If `wrong`, the text has the color of an error. */
  readonly caption?: (index: number) => { readonly text: string; readonly wrong: boolean };
}

const CAPTION = 14;

/**
 * Draws digits side by side, in as many rows as the width of the container requires, in the page's colors.
 */
export function drawDigits(canvas: HTMLCanvasElement, { pixels, count, caption }: DrawnDigits): void {
  const context = canvas.getContext("2d");
  const width = canvas.parentElement?.clientWidth ?? 0;
  if (!context || width === 0) return;
  const ratio = devicePixelRatio;
  const columns = Math.max(1, Math.floor(width / (SIDE + 4)));
  const cell = width / columns;
  const high = SIDE + 4 + (caption ? CAPTION : 0);
  const rows = Math.ceil(count / columns);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(rows * high * ratio);
  canvas.style.height = `${rows * high}px`;
  const style = getComputedStyle(document.documentElement);
  const [ink, quiet, wrongInk] = ["--ink", "--quiet", "--cloud"].map((name) =>
    style.getPropertyValue(name).trim(),
  ) as [string, string, string];
  const [red, green, blue] = channels(ink);
  const stamp = new OffscreenCanvas(SIDE, SIDE);
  const brush = stamp.getContext("2d")!;
  context.scale(ratio, ratio);
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  for (let i = 0; i < count; i++) {
    const image = brush.createImageData(SIDE, SIDE);
    for (let at = 0; at < SIDE * SIDE; at++)
      image.data.set([red, green, blue, pixels[i * SIDE * SIDE + at]!], 4 * at);
    brush.putImageData(image, 0, 0);
    const left = (i % columns) * cell + (cell - SIDE) / 2;
    const top = Math.floor(i / columns) * high;
    context.drawImage(stamp, left, top);
    if (!caption) continue;
    const { text, wrong } = caption(i);
    context.fillStyle = wrong ? wrongInk : quiet;
    context.fillText(text, left + SIDE / 2, top + SIDE + CAPTION - 3);
  }
}

/** Parses a CSS color in the form that this page uses, `#rrggbb`. */
function channels(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
