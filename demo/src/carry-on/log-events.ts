import type { AgentEvent, AgentStatus } from "@sedna-js/edge-agent";
import { describeEvent } from "./describe-event.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Returns the number of frames without a result: those replaced by a later one before their turn, and those
 * on which every model failed.
 */
export function unanswered({ droppedNumber, failedNumber }: AgentStatus["joint"]): number {
  return droppedNumber + failedNumber;
}

/**
 * Creates a listener that adds an agent's events to a timeline and composes the sentences that depend on
 * several events. Requires all events in order.
 */
export function logEvents({
  timeline,
  status,
}: {
  readonly timeline: Timeline;
  readonly status: () => AgentStatus;
}): (event: AgentEvent) => void {
  type Counts = Pick<AgentStatus["joint"], "droppedNumber" | "failedNumber">;
  /** The counts at the start of the failure or the update. */
  const before: { failure?: Counts; update?: Counts } = {};
  const sending = { waits: false, most: 0 };
  const told = (text: string): void => timeline.add({ actor: "agent", text });
  const since = (counts: Counts | undefined): string => {
    const now = status().joint;
    const lost = now.failedNumber - (counts ?? now).failedNumber;
    const skipped = now.droppedNumber - (counts ?? now).droppedNumber;
    const losses =
      lost === 0 ? "No frame was lost" : `${lost} ${lost === 1 ? "frame was" : "frames were"} lost`;
    return skipped === 0
      ? `${losses}.`
      : `${losses}; ${skipped} ${skipped === 1 ? "was" : "were"} skipped in favor of later ones.`;
  };

  return (event) => {
    const text = describeEvent(event);
    switch (event.type) {
      case "model-opened": {
        // A new version and a recovered one are announced by their own events.
        const isFirst =
          before.failure === undefined && (status().model?.version ?? event.version) === event.version;
        return isFirst ? told(text!) : undefined;
      }
      case "model-failed":
        before.failure ??= status().joint;
        return told(text!);
      case "model-recovered":
        told(`${text} ${since(before.failure)}`);
        delete before.failure;
        return;
      case "update-found":
        before.update = status().joint;
        return told(text!);
      case "update-swapped":
        return told(`${text} ${since(before.update)}`);
      case "upload-failed":
        if (!sending.waits) told(text!);
        sending.waits = true;
        return;
      case "item-queued":
        sending.most = Math.max(sending.most, status().queue?.items ?? 0);
        return;
      case "item-sent":
        if ((status().queue?.items ?? 0) > 0) return;
        if (sending.waits)
          told(
            `${sending.most === 1 ? "The pending hard example has" : `All pending hard examples, at most ${sending.most}, have`} been sent.`,
          );
        Object.assign(sending, { waits: false, most: 0 });
        return;
      default:
        if (text !== undefined) told(text);
    }
  };
}
