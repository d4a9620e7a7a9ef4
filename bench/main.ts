// `npm run bench -- NAME [--json]`, `npm run bench -- goals joint|kernels|agent|federated [--json]`, `npm run
// bench -- docs`, or `npm run bench -- peers`, which installs the peers that the kernels are measured
// against.
import { agentGoals } from "./agent/goals.ts";
import { benchAgentIdle } from "./agent/idle.ts";
import { benchAgentOverhead } from "./agent/overhead.ts";
import { benchAgentQueue } from "./agent/queue.ts";
import { benchAgentRecovery } from "./agent/recovery.ts";
import { benchAgentSoak } from "./agent/soak.ts";
import { benchAgentUpdates } from "./agent/updates.ts";
import { benchBoundary } from "./kernels/boundary.ts";
import { benchBundle } from "./joint/bundle.ts";
import { benchRelaxed } from "./kernels/cosine-relaxed.ts";
import { benchCosine } from "./kernels/cosine.ts";
import { benchDigits } from "./joint/digits.ts";
import { writeDocs } from "./docs/docs.ts";
import { benchFedAvg } from "./kernels/fedavg.ts";
import { federatedGoals } from "./federated/goals.ts";
import { benchFederatedMalicious } from "./federated/malicious.ts";
import { benchFederatedNonIid } from "./federated/noniid.ts";
import { benchFederatedRound } from "./federated/round.ts";
import { benchFederatedRules } from "./federated/rules.ts";
import { goalsOf } from "./joint/goals.ts";
import { benchHemCrossover } from "./kernels/hem-crossover.ts";
import { benchHem } from "./kernels/hem.ts";
import { benchJoint } from "./joint/overhead.ts";
import { kernelGoals } from "./kernels/goals.ts";
import { benchMistnet } from "./federated/mistnet.ts";
import { preparePeers } from "./peers.ts";
import { benchPreprocess } from "./kernels/preprocess.ts";
import type { Figure, Goal } from "./result.ts";
import { benchSize } from "./kernels/size.ts";
import { benchTrain } from "./kernels/train.ts";
import { benchVideo } from "./joint/video.ts";

const benches = {
  joint: benchJoint,
  preprocess: benchPreprocess,
  hem: benchHem,
  "hem-crossover": benchHemCrossover,
  fedavg: benchFedAvg,
  cosine: async () => [...(await benchCosine()), ...(await benchRelaxed())],
  train: benchTrain,
  boundary: benchBoundary,
  size: benchSize,
  digits: benchDigits,
  video: benchVideo,
  bundle: benchBundle,
  "federated-round": () => benchFederatedRound(),
  "federated-noniid": benchFederatedNonIid,
  "federated-rules": benchFederatedRules,
  "federated-malicious": benchFederatedMalicious,
  mistnet: benchMistnet,
  "agent-soak": benchAgentSoak,
  "agent-updates": benchAgentUpdates,
  "agent-recovery": benchAgentRecovery,
  "agent-idle": benchAgentIdle,
  "agent-queue": benchAgentQueue,
  "agent-overhead": benchAgentOverhead,
} satisfies Record<string, () => Promise<Figure[]>>;

const goals = {
  joint: goalsOf,
  kernels: kernelGoals,
  agent: agentGoals,
  federated: federatedGoals,
} satisfies Record<string, () => AsyncGenerator<Goal>>;

const words = process.argv.slice(2).filter((word) => word !== "--json");
const asJson = process.argv.includes("--json");
const [name, group, ...more] = words;
const extra = name === "goals" ? more.length > 0 : group !== undefined;

const print = <T>(value: T, forPeople: (value: T) => void): void =>
  asJson ? console.log(JSON.stringify(value)) : forPeople(value);
const printFigure = ({ name, metric, value, unit, peer, ratio }: Figure): void =>
  console.log(
    Number.isNaN(value)
      ? `${name}: ${metric}: not measured: ${unit}`
      : `${name}: ${metric}: ${value.toPrecision(4)} ${unit}${ratio === undefined ? "" : `, ratio ${ratio.toFixed(3)} to ${peer}`}`,
  );
const printGoal = ({ goal, value, limit, better, holds, reason }: Goal): void =>
  console.log(
    `${holds ? "holds " : "MISSED"} ${goal}: ${value ?? "not measured"} (goal ${better === "lower" ? "<=" : ">="} ${limit})${reason ? `: ${reason}` : ""}`,
  );

// Log installations to standard error: a program may read standard output.
const installing = (line: string): void => console.error(line);

if (!extra && name === "goals" && group !== undefined && Object.hasOwn(goals, group)) {
  if (group === "kernels") await preparePeers(installing);
  for await (const goal of goals[group as keyof typeof goals]()) print(goal, printGoal);
} else if (!extra && name === "docs") {
  await preparePeers(installing);
  await writeDocs();
} else if (!extra && name === "peers") {
  for (const line of await preparePeers(installing)) console.log(line);
} else if (!extra && name !== undefined && Object.hasOwn(benches, name)) {
  for (const figure of await benches[name as keyof typeof benches]()) print(figure, printFigure);
} else {
  console.error(
    `Usage: npm run bench -- NAME [--json], NAME one of ${Object.keys(benches).join(", ")}; or: npm run bench -- goals ${Object.keys(goals).join("|")} [--json], npm run bench -- docs, npm run bench -- peers`,
  );
  process.exit(2);
}
process.exit(0);
