import type { FederationTransport } from "@sedna-js/core";
import { sha256Hex, type WeightStore } from "@sedna-js/core/weight-store";
import {
  modelKey,
  parseUpdateReceipt,
  parseUpdateRejection,
  UPDATE_REFERENCE_TYPE,
  updateKey,
} from "@sedna-js/core/wire";
import { readAnswer, type FederationHttp } from "./federation-http.ts";

/** Options of {@link storedWeights}. */
export interface StoredWeightsOptions {
  readonly store: WeightStore;
  /** Name of the federation. */
  readonly name: string;
  readonly http: FederationHttp;
  readonly deadlineMs: number;
  /** Fetches a model that is not in the store. */
  readonly fetchModel: FederationTransport["fetchModel"];
}

const MAX_REPLY_BYTES = 65_536;

/**
 * Creates a client's access to a weight store. It reads models from the store, writes updates there, and
 * sends the aggregator their keys.
 */
export function storedWeights({
  store,
  name,
  http,
  deadlineMs,
  fetchModel,
}: StoredWeightsOptions): Pick<FederationTransport, "fetchModel" | "sendUpdate"> {
  return {
    async fetchModel(version, { length, signal }) {
      // Anyone with write access to the store can replace an object, so get the expected hash from the
      // aggregator.
      const { headers } = await http.ask({
        action: "fetch the model's hash",
        method: "HEAD",
        path: `/models/${version}`,
        deadlineMs,
        maxReplyBytes: 0,
        signal,
      });
      const sha256 = /^"([0-9a-f]{64})"$/.exec(headers.get("etag") ?? "")?.[1];
      const bytes =
        sha256 &&
        (await store
          .get(modelKey({ federation: name, version }), { maxBytes: 4 * length, sha256, signal })
          .catch(() => signal.throwIfAborted()));
      if (!bytes || bytes.length !== 4 * length) return fetchModel(version, { length, signal });
      // Copy the bytes: the store may return them at any offset of a larger buffer.
      return new Float32Array(bytes.slice().buffer);
    },
    async sendUpdate(message, { round, signal }) {
      const action = "announce the update";
      const bytes = message as Uint8Array<ArrayBuffer>;
      const sha256 = await sha256Hex(bytes);
      // The key contains the content's hash: the same update, sent again, is the same object.
      const key = updateKey({ federation: name, round, id: sha256 });
      await store.put(key, bytes, { signal });
      const body = new TextEncoder().encode(JSON.stringify({ key, bytes: bytes.length, sha256 }));
      const reply = await http.ask({
        action,
        method: "PUT",
        path: `/rounds/${round}/update`,
        headers: { "content-type": UPDATE_REFERENCE_TYPE },
        body,
        deadlineMs,
        maxReplyBytes: MAX_REPLY_BYTES,
        signal,
      });
      return reply.status >= 300
        ? readAnswer(reply, { action, read: parseUpdateRejection })
        : readAnswer(reply, { action, read: parseUpdateReceipt });
    },
  };
}
