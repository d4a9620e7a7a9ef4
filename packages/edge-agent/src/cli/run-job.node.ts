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

/** The part of an agent that the command needs. An `EdgeAgent` is assignable to it. */
interface DeviceAgent {
  run(): AsyncIterable<JointResult<unknown>>;
  on(listener: (event: { readonly type: string }) => void): () => void;
  status(): AgentState;
  flush(options: { readonly signal: AbortSignal }): Promise<void>;
  dispose(options: { readonly deadlineMs: number }): Promise<void>;
}

/** Options of {@link runJob}. */
interface RunJobOptions {
  readonly job: Pick<EdgeJob, "status" | "output" | "name">;
  readonly agent: DeviceAgent;
  readonly logger: EventLogger;
  readonly exit: (code: number) => void;
}

/** Time limit for accepted frames to finish after SIGTERM, in ms. systemd waits for 90 s, Docker for 10 s. */
const STOP_MS = 7000;
/** Time limit for sending the queued items after the source of a finite job has ended, in ms. */
const FLUSH_MS = 60_000;

/**
 * Runs an agent as a device's process: writes results and events, serves the state on a local port, and shuts
 * down in order. Resolves when the source has ended and everything is closed.
 *
 * @throws {SednaError}, {TypeError}, ... The error that ended the source permanently, after everything is
 * closed; or if the status port is in use.
 */
export async function runJob({ job, agent, logger, exit }: RunJobOptions): Promise<void> {
  const offLog = agent.on(createEventLog({ logger }));
  using metrics = createAgentMetrics(agent, { residentBytes: () => process.memoryUsage.rss() });
  using systemd = createSdNotify({
    onError: (error) => logger.warn({ error: error.message }, "systemd could not be notified"),
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
      await agent.dispose({ deadlineMs: STOP_MS });
      await server.close();
    })();
    return ending;
  };
  const offShutdown = onShutdown({
    exit,
    deadlineMs: STOP_MS + 1500,
    stop: (signal) => {
      logger.info({ signal }, "stopping; a second signal exits at once");
      return end();
    },
  });
  const lines =
    job.output === "json"
      ? createJsonLines(process.stdout, {
          onGone: (error) =>
            logger.warn({ error: error.message }, "standard output is closed; results are no longer written"),
        })
      : undefined;
  try {
    const answers = agent.run();
    systemd.ready();
    for await (const answer of answers) {
      metrics.answered(answer);
      await lines?.write(answer);
    }
    // Do not flush after a stop request: queued items are on disk.
    if (ending === undefined) {
      logger.info({ frames: agent.status().joint.inferenceNumber }, "the source has ended");
      await agent
        .flush({ signal: AbortSignal.timeout(FLUSH_MS) })
        .catch((error: unknown) =>
          logger.warn(
            { error: String(error) },
            "not all items could be sent; they remain queued until the next start",
          ),
        );
    }
  } finally {
    // Also after an error, so that collected data is on disk and the log is closed.
    await end();
    offShutdown();
    offLog();
  }
}

/** Writes results as lines of JSON. See {@link createJsonLines}. */
interface JsonLines {
  /** Writes one result. Resolves when the stream accepts more data. Never rejects. */
  write(answer: JointResult<unknown>): Promise<void>;
}

/**
 * Creates a writer of JSON lines to a stream. A slow reader delays the writer. If the reader closes the
 * stream, `onGone` is called once and later results are discarded.
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
      // Whichever event comes first removes the listeners of the other. Otherwise a slow pipe would
      // accumulate listeners.
      const first = new AbortController();
      await Promise.race([once(stream, "drain", first), once(stream, "close", first)]).catch(() => {});
      first.abort();
    },
  };
}
