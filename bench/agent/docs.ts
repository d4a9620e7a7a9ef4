import type { Figure, Goal } from "../result.ts";
import { figureTable, goalTable } from "../docs/tables.ts";

/** The edge agent's part of docs/bench.md. */
export function agentSection({
  goals,
  figures,
}: {
  readonly goals: readonly Goal[];
  readonly figures: readonly Figure[];
}): string {
  return `## The edge agent

\`npm run bench -- goals agent --json\`

${goalTable(goals)}

- agent.rss-slope: MB of resident memory per 1e4 frames: the lowest reading of each 1e4, by least squares over 1e5 frames in Node after 2e4 to warm up, with everything on: a Worker with its model, a miner that calls a tenth hard, the queue on disk, its sender, reports. A model that costs next to nothing, so that the agent's own part is what is seen.
- agent.update-memory: memory of a page's process, Workers included, after 100 hot updates over after 2. agent.update-lost: frames that were not answered meanwhile.
- agent.device-recovery: seconds from \`device.destroy()\` to the first answer after it, on Chromium's software adapter.
- agent.idle-rss: MB of the built \`sedna-edge run\` that waits for its model and watches an empty directory.
- agent.queue-lost: of 1e5 items in a queue on disk, killed by SIGKILL half way and at the end, those that were acknowledged and not there afterwards.
- agent.overhead: time of a frame with everything on over joint inference alone, NanoDet on 640x480 in Node, the model in a Worker in both. To hand a frame to a Worker costs something itself: the last line of the table is the same against a model in the main thread.

${figureTable(figures)}
`;
}
