/** The pure state machine of federated rounds. */

export { checkUpload, type UploadRequest } from "./check-upload.ts";
export { allClients, clientMap, type ClientMap, getClient } from "./client-map.ts";
export {
  clientSelection,
  type ClientSelectionTable,
  type ClientSelector,
  type SelectionPool,
} from "./client-selection.ts";
export type {
  AcceptedUpdate,
  ActiveRound,
  Assignment,
  FederationClient,
  FederationEffect,
  FederationEvent,
  FederationState,
  RoundSettings,
  SelectedClient,
} from "./federation-state.ts";
export { applySettings, initialFederation } from "./initial-federation.ts";
export { nextTick } from "./next-tick.ts";
export { reduceFederation } from "./reduce-federation.ts";
export { roundSettings, roundTargets, type RoundTargets } from "./round-settings.ts";
export { taskFor } from "./task-for.ts";
