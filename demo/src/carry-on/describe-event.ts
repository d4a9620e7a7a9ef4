import type { AgentEvent } from "@sedna-js/edge-agent";

type EventOf<Type extends AgentEvent["type"]> = Extract<AgentEvent, { readonly type: Type }>;

/** Returns the display name of a backend. */
export function backendName(backend: EventOf<"model-opened">["backend"]): string {
  return { webgpu: "WebGPU", wasm: "WASM", cpu: "CPU", cloud: "the cloud" }[backend];
}

/** Formats a duration for display. */
export function duration(ms: number): string {
  return ms < 100 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

const failures = {
  "device-lost": "The GPU device was lost",
  "worker-crashed": "The Worker crashed",
  "worker-hung": "The Worker did not respond in time and was terminated",
  "out-of-memory": "The model ran out of memory",
  "run-rejected": "The model failed on a frame",
  "open-failed": "The model could not be opened",
  "wrong-output": "The model's outputs did not match its golden case",
} as const satisfies Record<EventOf<"model-failed">["reason"], string>;

const refusals = {
  untrusted: "no key that this edge trusts has signed it",
  outdated: "it is older than a version that was already here",
  unreadable: "its bytes do not match its manifest",
  "does-not-open": "it cannot be opened",
  "golden-mismatch": "its output on the golden case is wrong",
  "shadow-errors": "it failed on live frames in the shadow run",
  "shadow-slower": "it was too slow on live frames in the shadow run",
  "shadow-disagrees": "it disagreed with the old version too much in the shadow run",
  errors: "it failed too often",
  slower: "it was too slow",
  metric: "the watched metric fell",
  asked: "a rollback was requested",
} as const satisfies Record<EventOf<"update-rejected">["rejection"], string>;

/** Returns a sentence that describes an event of the agent, or `undefined` for events that the list omits. */
export function describeEvent(event: AgentEvent): string | undefined {
  switch (event.type) {
    case "agent-started":
      return "The agent started.";
    case "agent-follows":
      return "Another tab of this page is the leader: it installs the updates and sends pending items. If you close it, this tab takes over.";
    case "agent-leads":
      return "This tab installs the updates and sends pending items.";
    case "agent-stopped":
      return "The agent stopped.";
    case "model-missing":
      return `There is no model to run; the next attempt is in ${duration(event.retryInMs)}. ${event.error.message}`;
    case "model-damaged":
      return "The stored model is damaged and is downloaded again.";
    case "model-not-kept":
      return "This browser has no space to store the model: it runs from memory.";
    case "queue-missing":
      return `Hard examples cannot be stored; the next attempt is in ${duration(event.retryInMs)}. ${event.error.message}`;
    case "model-opened":
      return `Version ${event.version} opened on ${backendName(event.backend)} in ${duration(event.ms)}.`;
    case "model-failed":
      return `${failures[event.reason]}. ${way(event)}`;
    case "model-recovered":
      return `Version ${event.version} runs again on ${backendName(event.backend)}, ${duration(event.ms)} after it failed.`;
    case "update-found":
      return `Version ${event.version} was found. Version ${event.from} continues to run.`;
    case "update-staged":
      return `Version ${event.version} was downloaded, verified, and opened in its own Worker, after ${duration(event.ms)}.`;
    case "update-checked":
      return event.goldenCases > 0 ? `Version ${event.version} passes its golden case.` : undefined;
    case "update-shadowed":
      return `Version ${event.version} processed ${event.frames} live frames in a shadow run${event.agreement === undefined ? "" : ` and agrees with the old version on ${Math.round(100 * event.agreement)} %`}.`;
    case "update-swapped":
      return `Version ${event.version} runs from this frame on instead of version ${event.from}.`;
    case "update-confirmed":
      return `Version ${event.version} is confirmed: the agent returns to it if a later version fails.`;
    case "update-rejected":
      // The version number of a rejected manifest is not trusted either.
      return `${event.version === undefined ? "The new version" : `Version ${event.version}`} was rejected: ${refusals[event.rejection]}.`;
    case "update-rolled-back":
      return `Version ${event.from} was rolled back: ${refusals[event.rejection]}. Version ${event.to} runs again.`;
    case "update-postponed":
      return `${event.version === undefined ? "The latest manifest could not be downloaded" : `Version ${event.version} could not be downloaded as described in its manifest`}, so it is not installed. The next poll retries.`;
    case "upload-failed":
      return `Hard examples cannot be sent. They remain on this device; the next attempt is in ${duration(event.retryInMs)}.`;
    case "upload-paused":
      return `The cloud accepts no hard examples from this device; the next attempt is in ${duration(event.retryInMs)}.`;
    case "upload-rejected":
      return `The cloud rejected a hard example: ${event.message}`;
    case "item-dropped":
      return `A hard example was dropped: ${event.reason === "full" ? "too many are pending" : event.reason}.`;
    case "queue-degraded":
      return `Hard examples are stored in memory only: ${event.message}`;
    case "queue-recovered":
      return "Hard examples are stored on this device again.";
    case "source-opened":
      return "The video delivers frames.";
    case "source-failed":
      return `The video delivers no frames; it is reopened in ${duration(event.retryInMs)}. ${event.message}`;
    case "sample-lost":
    case "leader-unknown":
    case "storage-not-promised":
    case "item-queued":
    case "item-sent":
    case "report-sent":
    case "report-failed":
      return undefined;
    default:
      event satisfies never;
      return undefined;
  }
}

function way({ from, to, version }: EventOf<"model-failed">): string {
  if (to === "cloud") return "The cloud serves all frames until the model can be opened again.";
  return to === from
    ? `Version ${version} is reopened on ${backendName(to)}.`
    : `Version ${version} continues on ${backendName(to)} instead of ${backendName(from)}.`;
}
