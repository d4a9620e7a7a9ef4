import { SednaError, WireError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { CONTENT_DIGEST, contentDigest, readSampleUpload } from "@sedna-js/core/wire";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createPaceLimiter, type PaceOptions } from "../http/pace.ts";
import type { SampleStore } from "./sample-store.ts";
import type { Service, ServiceContext } from "../http/service.ts";

/** Options of {@link sampleService}. */
export interface SampleServiceOptions extends Pick<PaceOptions, "burst" | "now"> {
  readonly store: SampleStore;
  /**
   * Maximum size of a sample's message, in bytes; a larger one is rejected with 413. Default 8 MiB; the
   * cloud's own limit also applies.
   */
  readonly maxSampleBytes?: number;
  /** Maximum number of samples processed at once; more are rejected with 503. Default 16. */
  readonly maxUnderWay?: number;
  /** Samples accepted per second; more are rejected with 429 and a retry time. Default: no limit. */
  readonly perSecond?: number;
  /** Name of the service in the cloud. Default `samples`. */
  readonly name?: string;
}

const ROUTE = "/v1/samples";
const MAX_PAGE = 1000;

/**
 * Creates a service that stores samples of edges, each once: `POST /v1/samples` with a sample's message,
 * whose id is also the `Idempotency-Key`. It responds with 201 if the sample is now durably stored, 200 if it
 * was already stored, 409 if other bytes are stored under its id, and 412 if the sample was damaged in
 * transit (checked with `Content-Digest`, if present) and should be sent again. The store itself detects
 * duplicates, so there is no time after which a sample could be stored twice.
 */
export function sampleService({
  store,
  maxSampleBytes = 8 * 2 ** 20,
  maxUnderWay = 16,
  perSecond,
  name = "samples",
  ...pacing
}: SampleServiceOptions): Service {
  if (!(Number.isInteger(maxUnderWay) && maxUnderWay >= 1))
    throw new RangeError(
      `keep samples: expected maxUnderWay as a whole number from 1 up; got ${maxUnderWay}`,
    );
  const pace = perSecond === undefined ? undefined : createPaceLimiter({ ...pacing, perSecond });
  let state: "new" | "open" | "full" | "closed" = "new";
  let underWay = 0;
  let looking = false;

  // Readiness is polled. Each poll of a full store checks its free space again, and the next poll sees the
  // result.
  const lookForRoom = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const hasRoom = await store.hasRoom(maxSampleBytes).catch(() => false);
    looking = false;
    if (hasRoom && state === "full") state = "open";
  };

  const keep = async (c: Context): Promise<Response> => {
    const busy = admit();
    if (busy) return busy(c);
    underWay++;
    try {
      const bytes = new Uint8Array(await c.req.arrayBuffer());
      // Check the digest before the content: a sample damaged in transit should be sent again, not rejected
      // permanently.
      const digest = c.req.header(CONTENT_DIGEST);
      if (
        digest !== undefined &&
        digest !== contentDigest(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))
      )
        return c.json(
          { error: "keep a sample: expected the bytes that match Content-Digest; got different bytes" },
          412,
        );
      const { id } = readSampleUpload(bytes).head;
      const key = c.req.header("idempotency-key");
      if (key !== id)
        return c.json(
          {
            error: `keep a sample: expected Idempotency-Key as the sample's id; got ${key === undefined ? "none" : "another"}`,
          },
          412,
        );
      const outcome = await store.put(id, bytes);
      if (state === "full") state = "open";
      if (outcome === "conflict")
        return c.json(
          { error: `keep a sample: expected the stored bytes of ${id}; got different bytes` },
          409,
        );
      return outcome === "stored"
        ? c.json({ stored: true }, 201)
        : c.json({ stored: true, duplicate: true }, 200);
    } finally {
      underWay--;
    }
  };

  const admit = (): ((c: Context) => Response) | undefined => {
    if (state === "new" || state === "closed")
      return (c) =>
        c.json(
          { error: state === "new" ? "the sample store is not open yet" : "the sample store is closed" },
          503,
          {
            "retry-after": "1",
          },
        );
    const later = pace?.admit();
    if (later !== undefined)
      return (c) =>
        c.json({ error: "too many samples per second" }, 429, {
          "retry-after": String(Math.ceil(later / 1000)),
        });
    if (underWay >= maxUnderWay)
      return (c) => c.json({ error: "too many samples are in progress" }, 503, { "retry-after": "1" });
    return undefined;
  };

  const refuse = (
    error: unknown,
    { c, logger }: { readonly c: Context; readonly logger: ServiceContext["logger"] },
  ): Response => {
    if (error instanceof WireError) return c.json({ error: error.message }, 400);
    logger.error({ error: messageOf(error) }, "a sample could not be stored");
    if (!(error instanceof SednaError && error.code === "storage-full"))
      return c.json({ error: "the sample could not be stored; see the server's log" }, 500);
    // A sample that was in progress when the service closed must not make it appear open again.
    if (state === "open") state = "full";
    return c.json({ error: "no storage space for samples" }, 507, { "retry-after": "30" });
  };

  return {
    name,
    get ready() {
      if (state === "full") void lookForRoom();
      return state === "open";
    },
    async start() {
      await store.open();
      state = "open";
    },
    mount(app, { metrics, logger }) {
      const accepted = async (c: Context): Promise<Response> => {
        const response = await keep(c).catch((error: unknown) => refuse(error, { c, logger }));
        metrics.add("sedna_samples_total", { code: String(response.status) });
        return response;
      };
      const limit = bodyLimit({
        maxSize: maxSampleBytes,
        onError: (c) =>
          c.json({ error: `keep a sample: expected at most ${maxSampleBytes} bytes; got more` }, 413, {
            connection: "close",
          }),
      });
      app.post(ROUTE, limit, accepted);
      app.get(ROUTE, async (c) => {
        const { after, limit: size = "100" } = c.req.query();
        if (!/^\d{1,4}$/.test(size) || Number(size) < 1 || Number(size) > MAX_PAGE)
          return c.json(
            { error: `list samples: expected limit from 1 to ${MAX_PAGE}; got ${JSON.stringify(size)}` },
            400,
          );
        return c.json(await store.list({ limit: Number(size), ...(after === undefined ? {} : { after }) }));
      });
      app.all(ROUTE, (c) => c.json({ error: "samples: expected GET or POST" }, 405, { allow: "GET, POST" }));
    },
    async close() {
      state = "closed";
    },
  };
}
