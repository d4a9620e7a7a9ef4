import type { FederatedEvent } from "@sedna-js/edge-agent";

/** A description of an event, and whether to add it to the timeline. */
export interface Described {
  readonly text: string;
  readonly isNews: boolean;
}

const misses: Readonly<Partial<Record<string, string>>> = {
  superseded: "the next round started first",
  unanswered: "the next round started before the reply arrived",
  "round-closed": "the round was closed",
  "wrong-round": "the round was closed",
  "not-selected": "other clients were selected",
  quarantined: "it is quarantined because of its malformed updates",
};

/** Returns a sentence that describes an event. */
export function describeEvent(event: FederatedEvent): Described {
  switch (event.type) {
    case "joined":
      return { text: "This tab participates.", isNews: true };
    case "waiting":
      return { text: "Waiting for the next round or for more tabs.", isNews: false };
    case "round":
      return { text: `Round ${event.round} has a new global model.`, isNews: false };
    case "training":
      return { text: `Round ${event.round}: training on its own digits.`, isNews: false };
    case "trained":
      return {
        text: `Round ${event.round}: trained, loss ${event.report.loss.toFixed(2)} on its own digits. Sending the update.`,
        isNews: false,
      };
    case "sent":
      return {
        text: `Round ${event.round}: sent ${(event.bytes / 1024).toFixed(1)} KB, without any digits.`,
        isNews: false,
      };
    case "accepted":
      return {
        text: `Round ${event.round}: this tab's update was accepted. Waiting for the others.`,
        isNews: false,
      };
    case "missed":
      return {
        text: `Round ${event.round} continued without this tab: ${misses[event.why] ?? event.message}.`,
        isNews: true,
      };
    case "paused":
      return { text: "Training is paused.", isNews: true };
    case "resumed":
      return { text: "Training resumes.", isNews: true };
    case "retrying":
      return {
        text: `The aggregator could not be reached. Retrying in ${Math.ceil(event.retryInMs / 1000)} s.`,
        isNews: true,
      };
    case "storage-failed":
      return { text: `This tab cannot store what it needs to resume later: ${event.message}`, isNews: true };
    case "done":
      return {
        text: `All rounds are over: this tab has the global model of round ${event.round}.`,
        isNews: true,
      };
    default:
      return event satisfies never;
  }
}
