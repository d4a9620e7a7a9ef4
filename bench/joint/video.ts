import { readFile } from "node:fs/promises";
import { agreement, hardExampleMining } from "@sedna-js/core";
import { expectedF1Loss } from "@sedna-js/core/hard-example-mining";
import type { Figure } from "../result.ts";

type Rows = readonly (readonly number[])[];

/** Rows from this score on are the little model's answer; the big model's from that one. */
const SHOWN = 0.3;
const REFERENCE = 0.45;
/**
 * No model was trained and no parameter fitted on the frames from here on; docs/miners.md says what was seen
 * of them.
 */
const HELD_OUT = 530;
const SHARE = 0.2;

/** What a way of choosing frames gains. */
export interface Gain {
  /** Mean frame-F1 against the big model without uploads. */
  readonly edgeOnly: number;
  /** The same with the chosen frames uploaded, which then count 1. */
  readonly joint: number;
  readonly uploaded: number;
  /** (joint - edgeOnly) over what as many random uploads gain on average. */
  readonly ratio: number;
}

/** Both models' rows for every frame of models/vtest, as models/scripts/records_vtest.py recorded them. */
async function recordedFrames(): Promise<{ little: Rows; big: Rows }[]> {
  const file = new URL("../../models/vtest/records.json", import.meta.url);
  return (JSON.parse(await readFile(file, "utf8")) as { frames: { little: Rows; big: Rows }[] }).frames;
}

function gain(losses: readonly number[], chosen: ReadonlySet<number>): Gain {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const saved = losses.reduce((sum, loss, i) => sum + (chosen.has(i) ? loss : 0), 0) / losses.length;
  const uploaded = chosen.size / losses.length;
  return { edgeOnly: 1 - mean, joint: 1 - mean + saved, uploaded, ratio: saved / (uploaded * mean) };
}

/** The share of held-out frames with the highest difficulty; of equal ones the earlier. */
function hardest(difficulties: readonly number[]): Set<number> {
  const order = Array.from(difficulties.keys()).toSorted(
    (a, b) => difficulties[b]! - difficulties[a]! || a - b,
  );
  return new Set(order.slice(0, Math.round(SHARE * difficulties.length)));
}

/** Gains of miners on the held-out frames, each ranking the frames by its own measure of difficulty. */
export async function videoGains(): Promise<Readonly<Record<string, Gain>>> {
  const frames = await recordedFrames();
  const losses = frames.slice(HELD_OUT).map(({ little, big }) => {
    const reference = big.filter((row) => row[4]! >= REFERENCE).map((row) => row.slice(0, 4));
    return 1 - agreement({ found: little.filter((row) => row[4]! >= SHOWN), reference }).f1;
  });
  const shown = (rows: Rows): Rows => rows.filter((row) => row[4]! >= SHOWN);
  const mean = (rows: Rows): number =>
    rows.length === 0 ? 0 : -rows.reduce((sum, row) => sum + row[4]!, 0) / rows.length;
  const low = (rows: Rows): number =>
    rows.length === 0 ? 0 : rows.filter((row) => row[4]! <= 0.5).length / rows.length;
  const rank = (score: (rows: Rows) => number): Gain =>
    gain(losses, hardest(frames.map(({ little }) => score(little)).slice(HELD_OUT)));

  const online = hardExampleMining.ExpectedF1({ upload_ratio: SHARE });
  const called = frames.map(({ little }) => online(little)).slice(HELD_OUT);
  return {
    "oracle (knows the answer)": gain(losses, hardest(losses)),
    "ExpectedF1, as shipped": rank(expectedF1Loss()),
    "ExpectedF1, p = score, decay 0.9": rank(expectedF1Loss({ slope: 1, decay: 0.9 })),
    "ExpectedF1, fitted on frames 0-519, decay 0.6": rank(
      expectedF1Loss({ slope: 3.2373, offset: 0.8365, decay: 0.6 }),
    ),
    "Sedna's Threshold, shown boxes": rank((rows) => mean(shown(rows))),
    "Sedna's IBT, shown boxes": rank((rows) => low(shown(rows))),
    "lowest score of a shown box": rank((rows) => -Math.min(1, ...shown(rows).map((row) => row[4]!))),
    "ExpectedF1, online, running quantile": gain(
      losses,
      new Set(called.flatMap((yes, i) => (yes ? [i] : []))),
    ),
  };
}

/** The gain of the miner that is shipped, as it is shipped. */
export async function videoGain(): Promise<Gain> {
  return (await videoGains())["ExpectedF1, as shipped"]!;
}

/** Agreement with the big model on held-out frames of the video, a fifth of them uploaded. */
export async function benchVideo(): Promise<Figure[]> {
  return Object.entries(await videoGains()).map(([metric, { joint, uploaded, ratio }]) => ({
    name: "video",
    metric: `${metric} (${(100 * uploaded).toFixed(0)} % uploaded)`,
    value: joint,
    unit: "agreement",
    peer: "random upload's gain",
    ratio,
  }));
}
