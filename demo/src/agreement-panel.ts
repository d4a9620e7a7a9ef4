import { agreement, type Detections, type JointResult } from "@sedna-js/edge-agent";
import recorded from "../../models/nanodet-g-416/vtest-detections.json?url";
import { lines } from "./charts.ts";
import { byId, percent } from "./dom.ts";
import { SHOWN } from "./stage.ts";

/** Maximum number of points in the chart. There is one point per five frames. */
const KEPT = 400;

/** Running means of the agreement with the big model. See {@link createAgreementPanel}. */
export interface AgreementPanel {
  /** Adds the result for a frame of the vendored video, which is identified by its timestamp. */
  add(result: JointResult<Detections>): void;
  reset(): void;
}

/**
 * Compares results with the recorded results of the big model for every frame of this video, and shows random
 * upload at the same ratio for comparison. Works only for this video, because a camera has no record.
 */
export async function createAgreementPanel(): Promise<AgreementPanel> {
  const response = await fetch(recorded);
  const { fps, threshold, frames } = (await response.json()) as {
    fps: number;
    threshold: number;
    frames: readonly (readonly number[])[][];
  };
  const sums = { edge: 0, edgeFrames: 0, shown: 0, frames: 0, sent: 0 };
  const cells = {
    edge: byId("agree-edge"),
    random: byId("agree-random"),
    joint: byId("agree-joint"),
    ratio: byId("agree-ratio"),
  };

  const history = {
    frames: [] as number[],
    edge: [] as (number | null)[],
    random: [] as (number | null)[],
    shown: [] as number[],
  };
  const series = [
    { label: "edge alone", color: "--edge" },
    { label: "random", color: "--quiet", dash: [4, 4] },
    { label: "as shown", color: "--cloud" },
  ];
  const draw = lines(
    byId("chart-agreement"),
    series,
    () => [history.frames, history.edge, history.random, history.shown].map((list) => [...list]),
    { min: 70, max: 100, x: (frame) => `${frame}`, height: 150 },
  );

  const f1 = (found: Detections, index: number): number =>
    agreement({
      found: found.filter((row) => row[4] >= SHOWN).map((row) => row.slice(0, 5)),
      reference: frames[index]!.filter((row) => row[4]! >= threshold).map((row) => row.slice(0, 4)),
    }).f1;

  return {
    add({ edgeResult, result, source, sample }) {
      const index = Math.round(((sample as { timestamp: number }).timestamp / 1000) * fps);
      if (frames[index] === undefined || result === null) return;
      if (edgeResult) {
        sums.edge += f1(edgeResult, index);
        sums.edgeFrames++;
      }
      sums.shown += f1(result, index);
      sums.frames++;
      if (source === "cloud") sums.sent++;
      if (sums.frames % 5 !== 0) return;
      const share = sums.sent / sums.frames;
      const edge = sums.edgeFrames ? sums.edge / sums.edgeFrames : Number.NaN;
      const random = edge + share * (1 - edge);
      const shown = sums.shown / sums.frames;
      cells.edge.textContent = sums.edgeFrames ? percent(edge) : "-";
      cells.random.textContent = sums.edgeFrames ? percent(random) : "-";
      cells.joint.textContent = percent(shown);
      cells.ratio.textContent = `(${percent(share, 0)})`;

      history.frames.push(sums.frames);
      history.edge.push(sums.edgeFrames ? 100 * edge : null);
      history.random.push(sums.edgeFrames ? 100 * random : null);
      history.shown.push(100 * shown);
      if (history.frames.length > KEPT) for (const list of Object.values(history)) list.shift();
      draw();
    },
    reset() {
      Object.assign(sums, { edge: 0, edgeFrames: 0, shown: 0, frames: 0, sent: 0 });
      for (const cell of [cells.edge, cells.random, cells.joint]) cell.textContent = "-";
      cells.ratio.textContent = "";
      for (const list of Object.values(history)) list.length = 0;
      draw();
    },
  };
}
