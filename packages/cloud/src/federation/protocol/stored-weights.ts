import { messageOf } from "@sedna-js/core/errors";
import type { WeightStore } from "@sedna-js/core/weight-store";
import { modelKey, parseUpdateReference } from "@sedna-js/core/wire";
import type { Context } from "hono";
import type { Logger } from "../../http/service.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";
import { bytesOf } from "../log/float-bytes.ts";
import { tellOutcome } from "./take-upload.ts";

/** Maximum number of updates in memory while they are fetched from the store. */
const MAX_AT_ONCE = 8;
const MAX_REFERENCE_BYTES = 4096;

/** Weights that are exchanged through a store; see {@link storedWeights}. */
export interface StoredWeights {
  /**
   * Reads the reference to an update in the store, fetches the update, and passes it to the federation like
   * an uploaded one.
   */
  take(c: Context, asked: { readonly federation: Federation; readonly member: Member }): Promise<Response>;
  /** Writes the latest model and each new one to the store. Returns a function that stops this. */
  follow(federation: Federation): () => void;
}

/**
 * Creates the aggregator's side of a weight store, which Sedna calls its S3 transmitter. Clients fetch a
 * model over HTTP if it could not be written to the store.
 */
export function storedWeights({
  store,
  logger,
}: {
  readonly store: WeightStore;
  readonly logger: Logger;
}): StoredWeights {
  let atOnce = 0;

  const putModel = async (federation: Federation, version: number): Promise<void> => {
    const model = federation.model(version);
    if (model)
      await store.put(modelKey({ federation: federation.plan.name, version }), bytesOf(model.parameters));
  };
  const tellFailure = (error: unknown): void =>
    logger.error({ error: messageOf(error) }, "a model could not be written to the weight store");

  const tellUnread = (error: unknown): undefined =>
    void logger.error({ error: messageOf(error) }, "an update could not be read from the weight store");

  return {
    async take(c, { federation, member }) {
      const round = Number(c.req.param("round"));
      const { name, maxUpdateBytes } = federation.plan;
      const length = Number(c.req.header("content-length") ?? NaN);
      if (!(length <= MAX_REFERENCE_BYTES))
        return c.json(
          {
            error: `accept an update reference: expected at most ${MAX_REFERENCE_BYTES} bytes, and their Content-Length`,
          },
          413,
          { connection: "close" },
        );
      const { key, bytes, sha256 } = parseUpdateReference(await c.req.text(), { federation: name, round });
      if (atOnce >= MAX_AT_ONCE)
        return c.json({ error: "too many updates are being fetched from the store" }, 503, {
          "retry-after": "1",
        });
      atOnce++;
      try {
        const { signal } = c.req.raw;
        // The federation rejects an update that is too long, with its code and a strike. It need not be
        // fetched for that.
        const message =
          bytes > maxUpdateBytes
            ? new Uint8Array(0)
            : await store.get(key, { maxBytes: bytes, sha256, signal }).catch(tellUnread);
        // The client still has the update, and writes it to the store again when it retries. A failure of the
        // store is no strike.
        if (!message)
          return c.json({ error: "accept an update: expected it in the store; got none" }, 503, {
            "retry-after": "1",
          });
        const outcome = await federation.receive(member, {
          round,
          offset: 0,
          total: bytes > maxUpdateBytes ? bytes : message.length,
          body: once(message),
          signal,
        });
        // The response need not wait for this.
        if ("accepted" in outcome && outcome.accepted) void store.delete(key).catch(() => {});
        return tellOutcome(c, outcome);
      } finally {
        atOnce--;
      }
    },
    follow(federation) {
      void putModel(federation, federation.status().modelVersion).catch(tellFailure);
      return federation.onRound(({ outcome, modelVersion }) => {
        if (outcome === "aggregated") void putModel(federation, modelVersion).catch(tellFailure);
      });
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
