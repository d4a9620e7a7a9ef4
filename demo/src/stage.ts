import type { Detections, JointResult } from "@sedna-js/edge-agent";

/** Boxes with lower scores are kept for the miners and not shown. */
export const SHOWN = 0.3;

const WARNING_MS = 5000;

/** Draws results over the video; see {@link createStage}. */
export interface Stage {
  show(result: JointResult<Detections>): void;
  /** Until the first result. */
  say(message: string): void;
  /** For some seconds, over results too. */
  warn(message: string): void;
  clear(): void;
}

const dashes = { edge: [], cloud: [], fallback: [6, 5] } as const;
const widths = { edge: 2, cloud: 3.5, fallback: 2 } as const;

/** The video's overlay. Boxes differ in colour, width and dashes, so that none is told by colour alone. */
export function createStage({
  canvas,
  message,
}: {
  readonly canvas: HTMLCanvasElement;
  readonly message: HTMLElement;
}): Stage {
  const context = canvas.getContext("2d")!;
  const colours = getComputedStyle(canvas);
  const warning = { until: 0 };
  const say = (text: string): void => {
    message.textContent = text;
    message.hidden = false;
  };

  return {
    show({ result, source, sample }) {
      const { width, height } = sample as { width: number; height: number };
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      context.clearRect(0, 0, width, height);
      if (performance.now() > warning.until) message.hidden = true;
      const scale = width / 768;
      context.strokeStyle = colours.getPropertyValue(`--${source}`);
      context.lineWidth = widths[source] * scale;
      context.setLineDash(dashes[source].map((length) => length * scale));
      for (const [x1, y1, x2, y2, score] of result ?? [])
        if (score >= SHOWN) context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    },
    say,
    warn(text) {
      say(text);
      warning.until = performance.now() + WARNING_MS;
    },
    clear: () => context.clearRect(0, 0, canvas.width, canvas.height),
  };
}
