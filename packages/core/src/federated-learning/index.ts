/** The client of federated learning. */

export {
  createFederatedLearning,
  type FederatedLearning,
  type FederatedLearningOptions,
} from "./create-federated-learning.ts";
export type { FederatedEvent, FederatedStatus, MissedReason } from "./federated-event.ts";
export type { FederationTransport } from "./federation-transport.ts";
export type { ResidualStore } from "./run-federated-client.ts";
