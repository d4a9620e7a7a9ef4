import { messageOf } from "@sedna-js/core/errors";
import type { JointResult } from "@sedna-js/core";
import { once } from "node:events";
import type { Writable } from "node:stream";
import type { EdgeJob } from "../job/edge-job.ts";
import { createAgentMetrics } from "../telemetry/agent-metrics.ts";
import { type AgentState, deviceStatus } from "./device-status.ts";
import { createEventLog, type EventLogger } from "./event-log.ts";
import { createSdNotify } from "./sd-notify.node.ts";
import { onShutdown } from "./shutdown.node.ts";
import { openStatusServer } from "./status-server.node.ts";
import { version } from "@sedna-js/core/version";

/** What the command needs of an agent; an `EdgeAgent` fits. */
interface DeviceAgent {
  run(): AsyncIterable<JointResult<unknown>>;
  on(listener: (event: { readonly type: string }) => void): () => void;
  status(): AgentState;
  flush(options: { readonly signal: AbortSignal }): Promise<void>;
  stop(options: { readonly deadlineMs: number }): Promise<void>;
}

/** Options of {@link runJob}. */
interface RunJobOptions {
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
 * Runs an agent as a process of a device: its answers and events told, its state on a local port, its end in
 * order. Resolves when the source has ended and all is closed.
 * @throws {SednaError}, {TypeError}, ... what ends the source for good, when all is closed; and when the
 * status port is taken.
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

/** Writes answers as lines of JSON; see {@link createJsonLines}. */
interface JsonLines {
  /** Resolves when the reader keeps up. Never rejects. */
  write(answer: JointResult<unknown>): Promise<void>;
}

/**
 * Lines of JSON on a stream. A reader that is slow is waited for; one that has gone is told once, and the
 * agent goes on without it.
 */
export function createJsonLines(
  stream: Writable,
  { onGone }: { readonly onGone: (error: Error) => void },
): JsonLines {
  const state = { gone: false };
  stream.on("error", (error: Error) => {
    if (!state.gone) onGone(error);
    state.gone = true;
  });
  return {
    async write({ index, isHardExample, source, reason, final, timings, bytes, result, error, sample }) {
      if (state.gone) return;
      const { timestamp } = (sample ?? {}) as { readonly timestamp?: unknown };
      const line = {
        index,
        ...(typeof timestamp === "number" && { timestamp }),
        source,
        reason,
        final,
        isHardExample,
        timings,
        bytes,
        result,
        ...(error === undefined ? {} : { error: messageOf(error) }),
      };
      if (
        stream.write(
          `${JSON.stringify(line, (_, value: unknown) => (ArrayBuffer.isView(value) ? [...(value as unknown as Iterable<number>)] : value))}\n`,
        )
      )
        return;
      // Whichever comes first takes the listeners of the other off: a pipe that is slow for weeks must not
      // gather them.
      const first = new AbortController();
      await Promise.race([once(stream, "drain", first), once(stream, "close", first)]).catch(() => {});
      first.abort();
    },
  };
}
