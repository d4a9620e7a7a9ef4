import type { JointResult } from "@sedna-js/core";
import type { EdgeJob } from "../job/edge-job.ts";
import { createAgentMetrics } from "../telemetry/agent-metrics.ts";
import { deviceStatus, type AgentState } from "./device-status.ts";
import { createEventLog, type EventLogger } from "./event-log.ts";
import { createJsonLines } from "./json-lines.node.ts";
import { createSdNotify } from "./sd-notify.node.ts";
import { onShutdown } from "./shutdown.node.ts";
import { openStatusServer } from "./status-server.node.ts";
import { version } from "./version.ts";

/** What the command needs of an agent; an `EdgeAgent` fits. */
export interface DeviceAgent {
  run(): AsyncIterable<JointResult<unknown>>;
  on(listener: (event: { readonly type: string }) => void): () => void;
  status(): AgentState;
  flush(options: { readonly signal: AbortSignal }): Promise<void>;
  stop(options: { readonly deadlineMs: number }): Promise<void>;
}

/** Options of {@link runJob}. */
export interface RunJobOptions {
  readonly job: Pick<EdgeJob, "status" | "output" | "name">;
  readonly agent: DeviceAgent;
  readonly logger: EventLogger;
  readonly exit: (code: number) => void;
}

/** How long what was taken may take to its end, after SIGTERM. systemd waits for 90 s, Docker for 10. */
const STOP_MS = 7000;
/** How long what waits in the queue is sent for, when a job of files has come to its end. */
const FLUSH_MS = 60_000;

/**
 * Runs an agent as a process of a device: its answers and events told, its state on a local port, its end in order.
 * Resolves when the source has ended and all is closed.
 * @throws {SednaError}, {TypeError}, ... what ends the source for good, when all is closed; and when the status port is taken.
 */
export async function runJob({ job, agent, logger, exit }: RunJobOptions): Promise<void> {
  const offLog = agent.on(createEventLog({ logger }));
  using metrics = createAgentMetrics(agent, { residentBytes: () => process.memoryUsage.rss() });
  using systemd = createSdNotify({
    onError: (error) => logger.warn({ error: error.message }, "systemd could not be told"),
  });
  const status = () =>
    deviceStatus(agent.status(), {
      version,
      pid: process.pid,
      rssBytes: process.memoryUsage.rss(),
      now: Date.now(),
    });
  await using server = await openStatusServer({ ...job.status, status, metrics: () => metrics.text() });
  logger.info({ job: job.name, status: server.url }, "started");

  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    ending ??= (async () => {
      systemd.stopping();
      await agent.stop({ deadlineMs: STOP_MS });
      await server.close();
    })();
    return ending;
  };
  const offShutdown = onShutdown({
    exit,
    deadlineMs: STOP_MS + 1500,
    stop: (signal) => {
      logger.info({ signal }, "stopping; once more ends at once");
      return end();
    },
  });
  const lines =
    job.output === "json"
      ? createJsonLines(process.stdout, {
          onGone: (error) =>
            logger.warn({ error: error.message }, "standard output is gone; answers are no longer written"),
        })
      : undefined;
  try {
    const answers = agent.run();
    systemd.ready();
    for await (const answer of answers) {
      metrics.answered(answer);
      await lines?.write(answer);
    }
    // Asked to stop, it does not send for long: what waits is on the disk.
    if (ending === undefined) {
      logger.info({ frames: agent.status().joint.inferenceNumber }, "the source has ended");
      await agent
        .flush({ signal: AbortSignal.timeout(FLUSH_MS) })
        .catch((error: unknown) =>
          logger.warn({ error: String(error) }, "not all could be sent; it waits for the next start"),
        );
    }
  } finally {
    // Also after an error: what was collected is to be on the disk, and the log closed.
    await end();
    offShutdown();
    offLog();
  }
}
