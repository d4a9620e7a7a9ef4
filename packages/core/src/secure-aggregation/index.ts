/** Secure aggregation: the client and the server of one round. */

export type { SecureClientOptions } from "./answer-secure-phase.ts";
export { createSecureClient, type SecureClient } from "./create-secure-client.ts";
export { createSecureRound, type SecureRound, type SecureRoundOptions } from "./create-secure-round.ts";
export type { SecureReceipt } from "./receive-secure-answer.ts";
export type { SecureAggregate } from "./secure-round-state.ts";
export { levelsFor } from "./quantize.ts";
