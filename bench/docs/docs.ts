import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { agentSection } from "../agent/docs.ts";
import { agentGoals } from "../agent/goals.ts";
import { benchBundle } from "../joint/bundle.ts";
import { benchDigits, digitsCascade, type CascadePoint } from "../joint/digits.ts";
import { federatedDigitsChart, federatedDigitsPage, federatedSection } from "../federated/docs.ts";
import { federatedGoals } from "../federated/goals.ts";
import { nonIid } from "../federated/noniid.ts";
import { goalsOf } from "../joint/goals.ts";
import { kernelsSection } from "../kernels/docs.ts";
import { kernelGoals } from "../kernels/goals.ts";
import { lineChart } from "./line-chart.ts";
import { figureTable, goalTable } from "./tables.ts";
import type { Figure, Goal } from "../result.ts";
import { benchVideo } from "../joint/video.ts";

const doc = (name: string): URL => new URL(`../../docs/${name}`, import.meta.url);

/** Writes docs/bench.md, and docs/digits.md and docs/federated-digits.md with their charts, from new runs. */
export async function writeDocs(): Promise<void> {
  const shares = [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1];
  const cascade = await digitsCascade(shares);
  await writeFile(doc("digits.svg"), curve(cascade));
  await writeFile(doc("digits.md"), digitsPage(cascade));

  const unlike = await nonIid();
  await writeFile(doc("federated-digits.svg"), federatedDigitsChart(unlike));
  await writeFile(doc("federated-digits.md"), federatedDigitsPage(unlike));

  const goals: Goal[] = [];
  const figures: Figure[] = [];
  for await (const goal of goalsOf((measured) => figures.push(...measured))) goals.push(goal);
  for (const bench of [benchDigits, benchVideo, benchBundle]) figures.push(...(await bench()));
  const kernels = { goals: [] as Goal[], figures: [] as Figure[] };
  for await (const goal of kernelGoals((measured) => kernels.figures.push(...measured)))
    kernels.goals.push(goal);
  const agent = { goals: [] as Goal[], figures: [] as Figure[] };
  for await (const goal of agentGoals((measured) => agent.figures.push(...measured))) agent.goals.push(goal);
  const federated = { goals: [] as Goal[], figures: [] as Figure[] };
  for await (const goal of federatedGoals((measured) => federated.figures.push(...measured)))
    federated.goals.push(goal);
  await writeFile(
    doc("bench.md"),
    `${benchPage(goals, figures)}\n${agentSection(agent)}\n${federatedSection(federated)}\n${kernelsSection(kernels)}`,
  );
}

function benchPage(goals: readonly Goal[], figures: readonly Figure[]): string {
  return `# Benchmarks

Written by \`npm run bench -- docs\`. Contestants run in turn, one run each; a ratio is the median over rounds of each round's ratio. Milliseconds are of one machine and one day: ${cpus().length} cores of ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; ONNX Runtime 1.30.0 with one thread.

## Joint inference

\`npm run bench -- goals joint --json\`

${goalTable(goals)}

- joint.overhead: time of a sample on its whole path (run queue, miner, statistics, result) over bare \`session.run\` of NanoDet-g on the same tensors.
- preprocess.vs-js: a 720p image letterboxed and normalized to 640x640, against a JavaScript loop with precomputed columns and the same result. Both write into preallocated memory, with the image already in place; a browser copies it there directly from the VideoFrame.
- joint.cascade: accuracy on 2,000 labeled digits with a fifth uploaded; see [digits.md](digits.md).
- joint.video-gain: gain of the miner on held-out frames over the gain of random upload; see [miners.md](miners.md).
- joint.bundle-kb: gzipped JavaScript of a ten-line Vite app without ONNX Runtime's.

${figureTable(figures)}`;
}

function digitsPage({
  little,
  big,
  points,
}: {
  little: number;
  big: number;
  points: readonly CascadePoint[];
}): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const rows = points.map(
    ({ uploaded, accuracy }) =>
      `| ${percent(uploaded)} | ${percent(accuracy)} | ${percent(little + uploaded * (big - little))} |`,
  );
  return `# Joint inference on labeled digits

Written by \`npm run bench -- docs\`. 2,000 digits of MNIST that no model was trained on. The little model (14 KB) is right in ${percent(little)}, the big one (829 KB) in ${percent(big)}. The miner is \`Margin\`: a digit is uploaded if the probability of the best class exceeds that of the second by less than a threshold, which is set for each uploaded fraction here. The random baseline uploads the same fraction regardless of the digits. The standard error of an accuracy is about 0.4 points.

![Accuracy against the share uploaded: the cascade rises from the little model's accuracy and is within half a point of the big model's at 30 %; random upload rises on a straight line.](digits.svg)

| uploaded | accuracy | at random |
| --- | --- | --- |
${rows.join("\n")}`;
}

function curve({
  little,
  big,
  points,
}: {
  little: number;
  big: number;
  points: readonly CascadePoint[];
}): string {
  return lineChart({
    title: "Accuracy on digits against the share uploaded",
    lines: [
      {
        label: "at random",
        color: "quiet",
        dashed: true,
        points: [
          { x: 0, y: little },
          { x: 1, y: big },
        ],
        labelAt: { x: 0.62, y: 0.942 },
      },
      {
        label: "least certain first",
        color: "cloud",
        points: points.map(({ uploaded, accuracy }) => ({ x: uploaded, y: accuracy })),
        labelAt: { x: 0.3, y: 0.9605 },
      },
    ],
    x: { ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], label: "share uploaded", format: (share) => `${100 * share} %` },
    y: {
      ticks: [0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98],
      format: (share) => `${Math.round(100 * share)} %`,
    },
  });
}
