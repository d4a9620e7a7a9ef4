import type { FederatedEvent, FederatedStatus } from "./federated-event.ts";

/** The status of a client that has not begun. */
export const idleStatus: FederatedStatus = {
  state: "idle",
  round: 0,
  modelVersion: 0,
  counted: 0,
  missed: 0,
  bytesSent: 0,
};

/** The status after an event. */
export function statusAfter(status: FederatedStatus, event: FederatedEvent): FederatedStatus {
  const at =
    "round" in event && "modelVersion" in event
      ? { ...status, round: event.round, modelVersion: event.modelVersion }
      : status;
  switch (event.type) {
    case "joined":
    case "waiting":
    case "resumed":
      return { ...at, state: "waiting" };
    case "training":
      return { ...at, state: "training" };
    case "trained":
      return { ...at, round: event.round, state: "sending" };
    case "sent":
      return { ...at, bytesSent: at.bytesSent + event.bytes };
    case "counted":
      return { ...at, state: "waiting", counted: at.counted + (event.again ? 0 : 1) };
    case "missed":
      return { ...at, state: "waiting", missed: at.missed + 1 };
    case "paused":
      return { ...at, state: "paused" };
    case "done":
      return { ...at, state: "done" };
    case "round":
    case "retrying":
    case "storage-failed":
      return at;
    default:
      return event satisfies never;
  }
}
