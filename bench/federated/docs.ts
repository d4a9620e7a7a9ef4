import { lineChart } from "../docs/line-chart.ts";
import { settled, type NonIidResult } from "./noniid.ts";
import type { Figure, Goal } from "../result.ts";
import { figureTable, goalTable } from "../docs/tables.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Returns the text of docs/federated-digits.md. */
export function federatedDigitsPage({ samplesOfClients, centrally, curves }: NonIidResult): string {
  const at = [1, 10, 30, 100, 200, 300];
  const rows = curves.map(
    ({ name, accuracy }) =>
      `| ${name} | ${at.map((round) => percent(accuracy[round - 1]!)).join(" | ")} | ${percent(settled(accuracy))} |`,
  );
  return `# Ten clients with unlike digits

Written by \`npm run bench -- docs\`. 8,000 digits of MNIST are split among ten clients by a Dirichlet distribution with alpha 0.1, so that most clients have two or three kinds: ${samplesOfClients.join(", ")} digits each. All clients train the same head, a softmax on 14 x 14 pooled pixels, which contain no label information; a round is one epoch of SGD at each client. Updates are encoded as the messages of a real federation and aggregated by its aggregator. Accuracy is measured on 2,000 digits that no client trains on; the standard error is about 0.6 points. Trained centrally, the same head with the same optimizer reaches ${percent(settled(centrally))} (mean of its last ten epochs of ${centrally.length}).

![Accuracy by round: FedAvg and FedProx rise towards the accuracy of training in one place; FedProx comes closer.](federated-digits.svg)

| | ${at.map((round) => `round ${round}`).join(" | ")} | last ten |
| --- | ${at.map(() => "---").join(" | ")} | --- |
${rows.join("\n")}

FedProx pulls each client's training toward the round's model, so that clients with few kinds of digits do not drift away from it. Updates of 8 bits with error feedback take a quarter of the bytes.`;
}

/** Returns docs/federated-digits.svg. */
export function federatedDigitsChart({ centrally, curves }: NonIidResult): string {
  const [plain, prox] = [curves[0]!, curves[1]!];
  const rounds = plain.accuracy.length;
  // Single rounds vary by several points, so each drawn point is the mean of five rounds.
  const smooth = (accuracy: readonly number[]): { x: number; y: number }[] =>
    Array.from({ length: rounds / 5 }, (_, i) => ({
      x: 5 * i + 3,
      y: accuracy.slice(5 * i, 5 * i + 5).reduce((sum, one) => sum + one, 0) / 5,
    })).filter(({ y }) => y >= 0.7);
  const central = settled(centrally);
  return lineChart({
    title: "Accuracy on held-out digits by round",
    lines: [
      {
        label: "in one place",
        color: "quiet",
        dashed: true,
        points: [
          { x: 0, y: central },
          { x: rounds, y: central },
        ],
        labelAt: { x: 200, y: central + 0.008 },
      },
      {
        label: "FedProx, mu 0.3",
        color: "edge",
        points: smooth(prox.accuracy),
        labelAt: { x: 200, y: 0.871 },
      },
      { label: "FedAvg", color: "cloud", points: smooth(plain.accuracy), labelAt: { x: 200, y: 0.856 } },
    ],
    x: { ticks: [0, 50, 100, 150, 200, 250, 300], label: "round", format: String },
    y: { ticks: [0.7, 0.75, 0.8, 0.85, 0.9, 0.95], format: (share) => `${Math.round(100 * share)} %` },
  });
}

/** Returns the federation's section of docs/bench.md. */
export function federatedSection({
  goals,
  figures,
}: {
  readonly goals: readonly Goal[];
  readonly figures: readonly Figure[];
}): string {
  return `## Federated learning

\`npm run bench -- goals federated --json\`

${goalTable(goals)}

- fl.round-rss, fl.rss-growth: peak resident memory of the aggregator's process in MB, in a round of 1000 clients with 1e6 float32 parameters each; and that over a round of 100 clients. Clients and aggregator share this machine's cores.
- fl.over-receive: time of that round over receiving the same bytes by the same server and dropping them.
- fl.cpu-share: CPU time of validating and adding updates over all CPU time of both processes.
- fl.vs-json: time of a round at 1e5 parameters as JSON over a WebSocket, over ours.
- fl.int8-bytes, fl.noniid: see [federated-digits.md](federated-digits.md). fl.malicious: points lost to 20 % hostile clients.
- Why four goals are missed: dropping 4 MB takes about 1.6 ms here, with both cores busy, and any processing of the bytes is added to that. A copy into kernel memory, a checksum, the squares, and the sum are four passes over them, and each client requests a slot before it sends, which is a second request. At 1e5 parameters a round is three requests per client, 1.7 ms in all. Memory grows with the waiting connections, about 70 KB each.

${figureTable(figures)}`;
}
