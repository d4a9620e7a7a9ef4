import type { FederatedEvent } from "@sedna-js/edge-agent";

/** What this tab is doing, and whether it is worth a line among what happened. */
export interface Described {
  readonly text: string;
  readonly isNews: boolean;
}

const misses: Readonly<Partial<Record<string, string>>> = {
  superseded: "the next round began first",
  unanswered: "the next round began before the answer came",
  "round-closed": "the round had closed",
  "wrong-round": "the round had closed",
  "not-selected": "others were chosen",
  quarantined: "it is left out for its malformed updates",
};

/** An event as a person would say it. */
export function describeEvent(event: FederatedEvent): Described {
  switch (event.type) {
    case "joined":
      return { text: "This tab takes part.", isNews: true };
    case "waiting":
      return { text: "Waits for the next round, or for more tabs.", isNews: false };
    case "round":
      return { text: `Round ${event.round} has a new common model.`, isNews: false };
    case "training":
      return { text: `Round ${event.round}: trains on its own digits.`, isNews: false };
    case "trained":
      return {
        text: `Round ${event.round}: trained, loss ${event.report.loss.toFixed(2)} on its own digits. Sends what changed.`,
        isNews: false,
      };
    case "sent":
      return {
        text: `Round ${event.round}: sent ${(event.bytes / 1024).toFixed(1)} KB, no digit among them.`,
        isNews: false,
      };
    case "accepted":
      return { text: `Round ${event.round}: this tab's update counts. Waits for the others.`, isNews: false };
    case "missed":
      return {
        text: `Round ${event.round} went on without this tab: ${misses[event.why] ?? event.message}.`,
        isNews: true,
      };
    case "paused":
      return { text: "Training waits.", isNews: true };
    case "resumed":
      return { text: "Training goes on.", isNews: true };
    case "retrying":
      return {
        text: `The aggregator could not be reached. Tries again in ${Math.ceil(event.retryInMs / 1000)} s.`,
        isNews: true,
      };
    case "storage-failed":
      return { text: `This tab cannot store what it needs to go on later: ${event.message}`, isNews: true };
    case "done":
      return {
        text: `All rounds are over: this tab has the common model of round ${event.round}.`,
        isNews: true,
      };
    default:
      return event satisfies never;
  }
}
