import { WireError } from "@sedna-js/core";
import type { LayerSpec } from "@sedna-js/core/training";
import { parseSednaAggregationMessage, type SednaAggregationMessage } from "@sedna-js/core/wire";
import type { ServiceSocket } from "../../http/service.ts";
import type { SednaMember } from "./sedna-member.ts";

/** Options of {@link sednaSocket}. */
export interface SednaSocketOptions {
  /** Layout of the client's weights. */
  readonly layout: readonly LayerSpec[];
  readonly maxMessageBytes: number;
  readonly subscribeMs: number;
  /** Adds a member. Returns `undefined` if it closed the socket instead. */
  readonly subscribe: (clientId: string | undefined) => SednaMember | undefined;
  readonly update: (
    member: SednaMember,
    message: Extract<SednaAggregationMessage, { type: "update_weight" }> & { readonly bytes: number },
  ) => void;
  /** Called with frames of other types. Default: they are dropped. */
  readonly relay?: (frame: string) => void;
}

/**
 * Handles Sedna's protocol on one socket: first a subscription, then updates. A malformed frame closes the
 * socket with a reason.
 */
export function sednaSocket(
  socket: ServiceSocket,
  { layout, maxMessageBytes, subscribeMs, subscribe, update, relay }: SednaSocketOptions,
): void {
  let member: SednaMember | undefined;
  const late = setTimeout(
    () => socket.close(1008, `expected to subscribe within ${subscribeMs} ms`),
    subscribeMs,
  );
  socket.onClose(() => clearTimeout(late));

  socket.onMessage((data) => {
    let message: SednaAggregationMessage;
    try {
      message = parseSednaAggregationMessage(data, { layout, maxBytes: maxMessageBytes });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // A cause comes from JSON.parse or TextDecoder.
      return error.cause === undefined
        ? socket.close(1008, error.message)
        : socket.close(1003, "expected JSON without NaN or Infinity");
    }
    if (message.type === "subscribe") {
      if (member) return socket.close(1008, "expected to subscribe once");
      clearTimeout(late);
      member = subscribe(message.clientId);
      return;
    }
    if (!member) return socket.close(1008, "expected to subscribe first");
    if (message.type === "update_weight") return update(member, { ...message, bytes: data.length });
    relay?.(typeof data === "string" ? data : new TextDecoder().decode(data));
  });
}
