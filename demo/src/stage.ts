import { drawFrame, type Detections, type Frame, type JointResult } from "@sedna-js/edge-agent";

/** Minimum score of a box to be shown. The miners also use lower scores. */
export const SHOWN = 0.3;

const WARNING_MS = 5000;

/** Shows results on the frames they belong to; created by {@link createStage}. */
export interface Stage {
  /** Draws the analyzed frame and its boxes. The frame must not be closed before this resolves. */
  show(result: JointResult<Detections>): Promise<void>;
  /** Shows a message until the first result. */
  say(message: string): void;
  /** Shows a warning for some seconds, also over results. */
  warn(message: string): void;
  clear(): void;
}

const dashes = { edge: [], cloud: [], fallback: [6, 5] } as const;
const widths = { edge: 2, cloud: 3.5, fallback: 2 } as const;

/**
 * Creates the canvas over the video. It shows the analyzed frame and not the playing video: on a slow device
 * the video is ahead of the results, and boxes would stand beside the people. Boxes differ in color, width,
 * and dashes, so that color alone never carries the meaning.
 */
export function createStage({
  canvas,
  message,
}: {
  readonly canvas: HTMLCanvasElement;
  readonly message: HTMLElement;
}): Stage {
  const context = canvas.getContext("2d")!;
  const colors = getComputedStyle(canvas);
  const warning = { until: 0 };
  const say = (text: string): void => {
    message.textContent = text;
    message.hidden = false;
  };

  return {
    async show({ result, source, sample }) {
      const frame = sample as Frame;
      const { width, height } = frame;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      await drawFrame(frame, context);
      if (performance.now() > warning.until) message.hidden = true;
      const scale = width / 768;
      context.strokeStyle = colors.getPropertyValue(`--${source}`);
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
