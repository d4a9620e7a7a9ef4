import { SednaError } from "../errors.ts";
import type { SecurePhase } from "../wire/federation.ts";
import type { SecureAnswer } from "../wire/secure-aggregation.ts";
import {
  answerSecurePhase,
  refuse,
  type SecureClientOptions,
  type SecureSession,
  textOf,
} from "./answer-secure-phase.ts";
import { createClientSecrets } from "./client-secrets.ts";

/** The client side of one secure aggregation. */
export interface SecureClient {
  /**
   * Returns the response to the aggregator's message of a phase. The same message gets the same response.
   *
   * @throws {WireError} If the message is malformed.
   * @throws {SednaError} `privacy-forbids` if the aggregator requests what an honest aggregator would not,
   * and for every later call; `update-rejected` if the previous phase is missing.
   */
  answer(phase: SecurePhase, message: unknown): Promise<SecureAnswer>;
}

const PHASES: readonly SecurePhase[] = ["keys", "shares", "masked", "unmask"];

/**
 * Creates a client of one round of secure aggregation. The client does not trust the aggregator with anything
 * that it can compute itself: its neighbors, the number of shares that recover a secret, and whether the sum
 * could overflow. It reveals at most one share per neighbor, for the first list of survivors that it
 * receives.
 *
 * 1. keys: creates two key pairs and a seed, for this round only.
 * 2. shares: splits the seed and one secret key among its neighbors, encrypted.
 * 3. masked: returns its update plus the mask of the seed, plus or minus a mask for each neighbor that is
 *    still present.
 * 4. unmask: returns the share of the seed for each neighbor that survived, and the share of the key for each
 *    neighbor that dropped out.
 *
 * Departures from the paper (Bell et al., 2020): keys and masks depend on a digest of all keys, so that a
 * client that was shown other keys is excluded rather than deceived; the ring is derived from the same
 * digest, so that no party can choose neighbors.
 */
export function createSecureClient(options: SecureClientOptions): SecureClient {
  const { minClients = 3, fill = (bytes) => void crypto.getRandomValues(bytes) } = options;
  const session: SecureSession = {
    options: { ...options, minClients },
    secrets: createClientSecrets(fill),
    shares: new Map(),
  };
  const given = new Map<SecurePhase, { readonly key: string; readonly answer: Promise<SecureAnswer> }>();

  return {
    async answer(phase, message) {
      if (session.rejected) throw session.rejected;
      const key = textOf(message);
      const before = given.get(phase);
      if (before)
        return before.key === key
          ? before.answer
          : refuse(session, `expected one message of phase ${phase}; got a different second one`);
      const earlier = PHASES[PHASES.indexOf(phase) - 1];
      if (earlier !== undefined && !given.has(earlier))
        throw new SednaError(
          `take part in a secure aggregation: expected phase ${earlier} first; got ${phase}`,
          {
            code: "update-rejected",
          },
        );
      const made = (async () => {
        if (earlier !== undefined) await given.get(earlier)!.answer;
        return answerSecurePhase(session, phase, message);
      })();
      given.set(phase, { key, answer: made });
      // A failed call has revealed nothing, and the phase may be requested again.
      made.catch(() => given.delete(phase));
      return made;
    },
  };
}
