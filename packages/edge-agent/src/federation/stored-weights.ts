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
  /** The federation's name. */
  readonly name: string;
  readonly http: FederationHttp;
  readonly deadlineMs: number;
  /** For a model that is not in the store. */
  readonly fetchModel: FederationTransport["fetchModel"];
}

const MAX_REPLY_BYTES = 65_536;

/** A client's end of a weight store: models come from there, updates are put there, and the aggregator is told where. */
export function storedWeights({
  store,
  name,
  http,
  deadlineMs,
  fetchModel,
}: StoredWeightsOptions): Pick<FederationTransport, "fetchModel" | "sendUpdate"> {
  return {
    async fetchModel(version, { length, signal }) {
      // Anyone who may write to the store may change what is there: the aggregator says which content it means.
      const { headers } = await http.ask({
        action: "ask for the model's hash",
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
      // The store's bytes may lie at any place of a larger buffer.
      return new Float32Array(bytes.slice().buffer);
    },
    async sendUpdate(message, { round, signal }) {
      const action = "announce the update";
      const bytes = message as Uint8Array<ArrayBuffer>;
      const sha256 = await sha256Hex(bytes);
      // Named by what it is: the same update, sent again, is the same object.
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
