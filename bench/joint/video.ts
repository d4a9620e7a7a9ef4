import { readFile } from "node:fs/promises";
import { agreement, hardExampleMining } from "@sedna-js/core";
import { expectedF1Loss } from "@sedna-js/core/hard-example-mining";
import type { Figure } from "../result.ts";

type Rows = readonly (readonly number[])[];

/** Minimum score of the little model's rows in its result; the second constant is that of the big model. */
const SHOWN = 0.3;
const REFERENCE = 0.45;
/**
 * First held-out frame: no model was trained and no parameter fitted on the frames from here on.
 * docs/miners.md states how they were used.
 */
const HELD_OUT = 530;
const SHARE = 0.2;

/** The gain of a method to select frames. */
export interface Gain {
  /** Mean frame-F1 against the big model without uploads. */
  readonly edgeOnly: number;
  /** Mean frame-F1 with the selected frames uploaded, which then count as 1. */
  readonly joint: number;
  readonly uploaded: number;
  /** (joint - edgeOnly) over the average gain of as many random uploads. */
  readonly ratio: number;
}

/**
 * Reads the rows of both models for every frame of models/vtest, as recorded by
 * models/scripts/records_vtest.py.
 */
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

/**
 * Returns the held-out frames with the highest difficulty, as many as `SHARE`. Of equal ones, the earlier is
 * taken.
 */
function hardest(difficulties: readonly number[]): Set<number> {
  const order = Array.from(difficulties.keys()).toSorted(
    (a, b) => difficulties[b]! - difficulties[a]! || a - b,
  );
  return new Set(order.slice(0, Math.round(SHARE * difficulties.length)));
}

/**
 * Returns the gains of miners on the held-out frames. Each miner ranks the frames by its own measure of
 * difficulty.
 */
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

/** Returns the gain of the shipped miner with its defaults. */
export async function videoGain(): Promise<Gain> {
  return (await videoGains())["ExpectedF1, as shipped"]!;
}

/**
 * Measures the agreement with the big model on held-out frames of the video, with a fifth of them uploaded.
 */
export async function benchVideo(): Promise<Figure[]> {
  return Object.entries(await videoGains()).map(([metric, { joint, uploaded, ratio }]) => ({
    name: "video",
    metric: `${metric} (${(100 * uploaded).toFixed(0)} % uploaded)`,
    value: joint,
    unit: "agreement",
    peer: "the gain of random upload",
    ratio,
  }));
}
