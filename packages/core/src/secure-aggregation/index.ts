/** Secure aggregation: the client and the server of one round. */

export { createSecureClient, type SecureClient, type SecureClientOptions } from "./create-secure-client.ts";
export {
  createSecureRound,
  type SecureAggregate,
  type SecureReceipt,
  type SecureRound,
  type SecureRoundOptions,
} from "./create-secure-round.ts";
export { levelsFor } from "./quantize.ts";
