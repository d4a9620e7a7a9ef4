import type { AgentStatus } from "@sedna-js/edge-agent";
import { byId } from "../dom.ts";
import { duration, backendName } from "./describe-event.ts";
import { unanswered } from "./log-events.ts";

/** The values under the video. */
export interface Figures {
  /** Records that a frame has a result. */
  answered(): void;
  show(status: AgentStatus, cloud: string): void;
}

/**
 * Creates the display of the agent's state. Pauses are measured only while the page is visible: a hidden page
 * gets no frames.
 */
export function createFigures(): Figures {
  const cells = {
    model: byId("model"),
    backend: byId("backend"),
    answered: byId("answered"),
    unanswered: byId("unanswered"),
    pause: byId("pause"),
    waiting: byId("waiting"),
    sent: byId("sent"),
    cloud: byId("cloud"),
  };
  const pause: { last?: number; longest: number } = { longest: 0 };
  const measure = (): void => {
    if (pause.last !== undefined) pause.longest = Math.max(pause.longest, performance.now() - pause.last);
  };
  document.addEventListener("visibilitychange", () => delete pause.last);

  return {
    answered() {
      measure();
      if (!document.hidden) pause.last = performance.now();
    },
    show({ model, joint, queue }, cloud) {
      measure();
      const texts: Record<keyof typeof cells, string> = {
        model: model ? `${model.name}, version ${model.version}` : "not loaded",
        backend: model ? backendName(model.backend) : "-",
        answered: String(joint.inferenceNumber),
        unanswered: String(unanswered(joint)),
        pause: pause.longest > 0 ? duration(pause.longest) : "-",
        waiting: queue
          ? `${queue.items}${queue.items > 0 ? ` (${Math.ceil(queue.bytes / 1024)} KB)` : ""}`
          : "-",
        sent: queue ? String(queue.sentNumber) : "-",
        cloud,
      };
      for (const [name, text] of Object.entries(texts)) {
        const cell = cells[name as keyof typeof cells];
        if (cell.textContent !== text) cell.textContent = text;
      }
    },
  };
}
