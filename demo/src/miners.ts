import { hardExampleMining, select, type Detections, type HardExampleMiner } from "@sedna-js/edge-agent";

/** A slider for one parameter of a miner. */
export interface Knob {
  readonly key: string;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
}

/** A miner that the visitor can select. */
export interface MinerOption {
  readonly name: "ExpectedF1" | "IBT" | "Threshold" | "Random";
  readonly title: string;
  readonly about: string;
  readonly knobs: readonly Knob[];
}

/** The miners for boxes, with ours first. */
export const minerOptions: readonly MinerOption[] = [
  {
    name: "ExpectedF1",
    title: "Expected F1",
    about:
      "Hard when the boxes are expected to be wrong: uncertain ones shown, likely ones hidden, people just lost.",
    knobs: [{ key: "upload_ratio", label: "Share to send", min: 0, max: 1, step: 0.05, value: 0.2 }],
  },
  {
    name: "IBT",
    title: "IBT (Sedna)",
    about: "Hard when enough boxes have low scores.",
    knobs: [
      { key: "threshold_box", label: "Low score up to", min: 0, max: 1, step: 0.05, value: 0.3 },
      {
        key: "threshold_img",
        label: "Tolerance (more offloads more)",
        min: 0,
        max: 1,
        step: 0.05,
        value: 0.4,
      },
    ],
  },
  {
    name: "Threshold",
    title: "Threshold (Sedna)",
    about: "Hard when the mean score of the boxes is low.",
    knobs: [{ key: "threshold", label: "Mean score below", min: 0, max: 1, step: 0.01, value: 0.4 }],
  },
  {
    name: "Random",
    title: "Random (the baseline)",
    about: "A share of all frames, whatever they show.",
    knobs: [{ key: "random_ratio", label: "Share", min: 0, max: 1, step: 0.05, value: 0.2 }],
  },
];

/** Creates the selected miner. */
export function buildMiner(
  name: MinerOption["name"],
  param: Readonly<Record<string, number>>,
): HardExampleMiner<Detections> {
  return select(hardExampleMining, { method: name, param });
}
