import type { AgentEvent } from "@sedna-js/edge-agent";

type EventOf<Type extends AgentEvent["type"]> = Extract<AgentEvent, { readonly type: Type }>;

/** Where a model runs, for people. */
export function backendName(backend: EventOf<"model-opened">["backend"]): string {
  return { webgpu: "WebGPU", wasm: "WASM", cpu: "CPU", cloud: "the cloud" }[backend];
}

/** A duration for people. */
export function duration(ms: number): string {
  return ms < 100 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

const failures = {
  "device-lost": "The GPU device was lost",
  "worker-crashed": "The Worker died",
  "worker-hung": "The Worker has not answered for too long, and was ended",
  "out-of-memory": "The model ran out of memory",
  "run-rejected": "The model failed on a frame",
  "open-failed": "The model could not be opened",
  "wrong-output": "The model's answers were not what its golden case says",
} as const satisfies Record<EventOf<"model-failed">["reason"], string>;

const refusals = {
  untrusted: "no key that this edge trusts has signed it",
  outdated: "it is older than one that was here",
  unreadable: "its bytes are not what its manifest promises",
  "does-not-open": "it does not open",
  "golden-mismatch": "it does not answer its golden case as it should",
  "shadow-errors": "it failed on live frames, unheard beside the old one",
  "shadow-slower": "it was too slow on live frames, unheard beside the old one",
  "shadow-disagrees": "on live frames, unheard beside the old one, it disagreed with it too much",
  errors: "it failed too often",
  slower: "it was too slow",
  metric: "the watched metric fell",
  asked: "somebody asked for that",
} as const satisfies Record<EventOf<"update-rejected">["rejection"], string>;

/** What an event of the agent means, in a sentence; undefined for what would only be noise in a list. */
export function describeEvent(event: AgentEvent): string | undefined {
  switch (event.type) {
    case "agent-started":
      return "The agent started.";
    case "agent-follows":
      return "Another tab of this page leads: it takes the updates and sends what waits. Close it, and this one takes over.";
    case "agent-leads":
      return "This tab takes the updates and sends what waits.";
    case "agent-stopped":
      return "The agent stopped.";
    case "model-missing":
      return `There is no model to run; the next try comes in ${duration(event.retryInMs)}. ${event.error.message}`;
    case "model-damaged":
      return "What was kept of the model is damaged, and is fetched again.";
    case "model-not-kept":
      return "This browser has no room to keep the model: it runs from memory.";
    case "queue-missing":
      return `Hard examples cannot be kept; the next try comes in ${duration(event.retryInMs)}. ${event.error.message}`;
    case "model-opened":
      return `Version ${event.version} opened on ${backendName(event.backend)} in ${duration(event.ms)}.`;
    case "model-failed":
      return `${failures[event.reason]}. ${way(event)}`;
    case "model-recovered":
      return `Version ${event.version} answers again on ${backendName(event.backend)}, ${duration(event.ms)} after it failed.`;
    case "update-found":
      return `Version ${event.version} was found. Version ${event.from} answers on.`;
    case "update-staged":
      return `Version ${event.version} is fetched, verified and open in a Worker of its own, after ${duration(event.ms)}.`;
    case "update-checked":
      return event.goldenCases > 0
        ? `Version ${event.version} answers its golden case as it should.`
        : undefined;
    case "update-shadowed":
      return `Version ${event.version} answered ${event.frames} live frames unheard${event.agreement === undefined ? "" : `, and agrees with the old one to ${Math.round(100 * event.agreement)} %`}.`;
    case "update-swapped":
      return `Version ${event.version} answers from this frame on, instead of version ${event.from}.`;
    case "update-confirmed":
      return `Version ${event.version} has proved itself: it is the one to come back to.`;
    case "update-rejected":
      // Of a manifest that was refused nothing counts, its number neither.
      return `${event.version === undefined ? "The new version" : `Version ${event.version}`} was refused: ${refusals[event.rejection]}.`;
    case "update-rolled-back":
      return `Version ${event.from} was taken back: ${refusals[event.rejection]}. Version ${event.to} answers again.`;
    case "update-postponed":
      return `${event.version === undefined ? "The newest manifest" : `Version ${event.version}`} could not be had as ${event.version === undefined ? "it should be" : "its manifest promises it"}, so it is not taken; that is tried again at the next look.`;
    case "sending-failed":
      return `Hard examples cannot be sent. They wait on this device; the next try comes in ${duration(event.retryInMs)}.`;
    case "sending-paused":
      return `The cloud takes no hard examples from us; the next try comes in ${duration(event.retryInMs)}.`;
    case "sending-refused":
      return `The cloud refused a hard example: ${event.message}`;
    case "item-dropped":
      return `A hard example was dropped: ${event.reason === "full" ? "too many wait" : event.reason}.`;
    case "queue-degraded":
      return `Hard examples wait in memory only: ${event.message}`;
    case "queue-recovered":
      return "Hard examples are kept on this device again.";
    case "source-opened":
      return "The video gives frames.";
    case "source-failed":
      return `The video gives no frames; it is opened again in ${duration(event.retryInMs)}. ${event.message}`;
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
  if (to === "cloud") return "The cloud answers until it can be opened again.";
  return to === from
    ? `Version ${version} is opened afresh on ${backendName(to)}.`
    : `Version ${version} goes on on ${backendName(to)} instead of ${backendName(from)}.`;
}
