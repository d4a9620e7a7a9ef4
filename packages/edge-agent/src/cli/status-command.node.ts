import { defineCommand } from "citty";
import { checkArgs, portArg } from "@sedna-js/core/check";
import { parseDeviceStatus, type DeviceStatus } from "./device-status.ts";

const args = {
  port: { type: "string", description: "Port of the agent's status server", default: "9465" },
  host: { type: "string", description: "Host of the agent", default: "127.0.0.1" },
  json: { type: "boolean", description: "Print the status as JSON" },
} as const;

/** Time limit for the agent's response, in ms. */
const DEADLINE_MS = 3000;

/**
 * `sedna-edge status`: prints the state of the agent on this machine. Exits with status 1 if the agent does
 * not run or is not healthy.
 */
export const statusCommand = defineCommand({
  meta: {
    name: "sedna-edge status",
    description:
      "Print the state of the agent on this machine; exits with status 1 if it does not run or is not healthy",
  },
  args,
  async run({ args: given }) {
    checkArgs(given, args);
    const host = given.host.includes(":") ? `[${given.host}]` : given.host;
    const url = `http://${host}:${portArg(given.port)}/status`;
    const status = await ask(url);
    process.stdout.write(given.json ? `${JSON.stringify(status)}\n` : `${statusTable(status)}\n`);
    if (!status.healthy) process.exitCode = 1;
  },
});

async function ask(url: string): Promise<DeviceStatus> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS), redirect: "error" });
    const text = await response.text();
    return parseDeviceStatus(response.ok ? JSON.parse(text) : text);
  } catch (cause) {
    const { code, message = (cause as Error).message } = ((cause as Error).cause ??
      {}) as Partial<NodeJS.ErrnoException>;
    const why =
      code === "ECONNREFUSED"
        ? "nothing listens there: sedna-edge does not run, or has another status.port"
        : (code ?? message);
    throw new Error(
      `request ${url}: expected the agent's answer within ${DEADLINE_MS / 1000} s; got: ${why}`,
      {
        cause,
      },
    );
  }
}

/** Formats the status as a table for people: one line per field, with the problems in the last line. */
export function statusTable({
  name,
  version,
  pid,
  uptimeSeconds,
  rssBytes,
  healthy,
  problems,
  state,
  source,
  model,
  frames,
  bytes,
  queue,
  lastError,
}: DeviceStatus): string {
  const rows: [string, string][] = [
    [
      "agent",
      `${name}, ${state} for ${duration(uptimeSeconds)}, process ${pid}, ${size(rssBytes)}, sedna-edge ${version}`,
    ],
    ["source", source.error ? `${source.state}: ${source.error}` : source.state],
    ["model", model ? `${model.name} version ${model.version} on ${model.backend}` : "none"],
    [
      "frames",
      `${frames.answered} processed (${frames.hard} hard, ${frames.cloud} by the cloud, ${frames.fallback} fallback), ${frames.failed} failed, ${frames.dropped} skipped`,
    ],
    ["traffic", `${size(bytes.up)} up, ${size(bytes.down)} down`],
    [
      "queue",
      queue
        ? `${queue.items} items, ${size(queue.bytes)}, oldest ${duration(queue.oldestAgeMs / 1000)}, ${queue.lost} lost`
        : "none",
    ],
    ...(lastError
      ? [
          [
            "last error",
            `${new Date(lastError.at).toISOString()} ${lastError.event}: ${lastError.message}`,
          ] as [string, string],
        ]
      : []),
    [
      "health",
      healthy && problems.length === 0
        ? "good"
        : `${healthy ? "working, but" : "not good:"} ${problems.join("; ")}`,
    ],
  ];
  // Strip control characters: error texts come from cameras and clouds and could otherwise control the
  // terminal.
  return rows.map(([what, text]) => `${what.padEnd(11)}${text.replace(/\p{Cc}/gu, " ")}`).join("\n");
}

function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** unit).toFixed(unit === 0 ? 0 : 1))} ${units[unit]}`;
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor((seconds % 86_400) / 3600),
    Math.floor((seconds % 3600) / 60),
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`;
}
