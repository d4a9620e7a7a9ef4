import type { RejectionCode } from "../wire/federation.ts";
import type { SecureAnswer } from "../wire/secure-aggregation.ts";
import { isSmallOrder } from "./key-agreement.ts";
import { fromBase64 } from "./secure-keys.ts";
import { indexOf, type SecureRoundState } from "./secure-round-state.ts";

/** The result of receiving a response. */
export type SecureReceipt =
  | { readonly accepted: true; readonly duplicate?: true }
  | { readonly rejected: RejectionCode; readonly error: string };

/** A response of a client in the current phase. */
export interface SecureResponse {
  readonly client: string;
  readonly answer: SecureAnswer;
  /** Clients that are invited to take part. */
  readonly clients: readonly string[];
}

/** Receives a response of the current phase. A masked vector is added to the sum and is not stored. */
export function receiveSecureAnswer(
  state: SecureRoundState,
  { client, answer, clients }: SecureResponse,
): SecureReceipt {
  const index = indexOf(state, client);
  const one = state.participants[index];
  const { sum } = state;
  switch (answer.phase) {
    case "keys": {
      if (!clients.includes(client))
        return { rejected: "not-selected", error: "expected a client of this round; got another" };
      if (state.keys.has(client)) return { accepted: true, duplicate: true };
      const { maskKey, sealKey } = answer.message;
      if (
        [maskKey, sealKey].some((key) => isSmallOrder(fromBase64(key))) ||
        [...state.keys.values()].some((other) => other.maskKey === maskKey)
      )
        return { rejected: "wrong-shape", error: "expected unique keys of full order; got others" };
      state.keys.set(client, answer.message);
      return { accepted: true };
    }
    case "shares": {
      if (!one)
        return {
          rejected: "not-selected",
          error: "expected a client whose keys are part of the round; got another",
        };
      if (one.shares) return { accepted: true, duplicate: true };
      const to = answer.message.boxes.map((box) => box.to).toSorted((a, b) => a - b);
      if (to.length !== one.neighbors.length || to.some((who, i) => who !== one.neighbors[i]))
        return { rejected: "wrong-shape", error: "expected one box for each neighbor; got others" };
      one.shares = answer.message;
      return { accepted: true };
    }
    case "masked": {
      if (!state.present.includes(index))
        return {
          rejected: "not-selected",
          error: "expected a client whose shares were accepted; got another",
        };
      if (state.survivors.has(index)) return { accepted: true, duplicate: true };
      if (answer.message.length !== sum.length)
        return {
          rejected: "wrong-length",
          error: `expected ${sum.length} words; got ${answer.message.length}`,
        };
      for (let i = 0; i < sum.length; i++) sum[i]! += answer.message[i]!;
      state.survivors.add(index);
      return { accepted: true };
    }
    case "unmask": {
      if (!one || !state.survivors.has(index))
        return {
          rejected: "not-selected",
          error: "expected a client whose vector was accepted; got another",
        };
      if (one.unmask) return { accepted: true, duplicate: true };
      one.unmask = answer.message;
      return { accepted: true };
    }
    default:
      return answer satisfies never;
  }
}
