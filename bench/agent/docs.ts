import type { Figure, Goal } from "../result.ts";
import { figureTable, goalTable } from "../docs/tables.ts";

/** Returns the edge agent's section of docs/bench.md. */
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

- agent.rss-slope: slope of the resident memory in MB per 1e4 frames, by least squares over the lowest reading of each 1e4 frames, over 1e5 frames in Node after a warm-up of 2e4, with everything on: a Worker with its model, a miner that marks a tenth as hard, the queue on disk, its sender, reports. The model costs next to nothing, so that the agent's own share is visible.
- agent.update-memory: memory of a page's process, Workers included, after 100 hot updates over that after 2. agent.update-lost: frames without a result meanwhile.
- agent.device-recovery: seconds from \`device.destroy()\` to the next result, on Chromium's software adapter.
- agent.idle-rss: MB of the built \`sedna-edge run\` that waits for its model and watches an empty directory.
- agent.queue-lost: acknowledged items that are missing after a restart, of 1e5 items in a queue on disk whose process is killed by SIGKILL halfway and at the end.
- agent.overhead: time of a frame with everything on over joint inference alone, NanoDet on 640x480 in Node, with the model in a Worker in both. Posting a frame to a Worker has a cost of its own: the last line of the table compares with a model in the main thread.

${figureTable(figures)}`;
}
