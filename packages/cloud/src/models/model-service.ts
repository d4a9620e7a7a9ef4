import { messageOf } from "@sedna-js/core/errors";
import type { Context } from "hono";
import { isKnown, readRange } from "../http/byte-range.ts";
import type { Service } from "../http/service.ts";

/** A published file that is open. It is closed by reading to the end, or by `close`. */
export interface PublishedFile {
  /** Bytes. */
  readonly size: number;
  /** Strong, in quotes: another content has another. */
  readonly etag: string;
  /** The bytes from `start` up to and without `end`. */
  read(range: { readonly start: number; readonly end: number }): ReadableStream<Uint8Array>;
  close(): Promise<void>;
}

/** Where published models lie. */
export interface ModelFiles {
  /** A file of a model; undefined where there is none. Both names are single names, without folders. */
  open(place: { readonly model: string; readonly file: string }): Promise<PublishedFile | undefined>;
}

/** Options of {@link modelService}. */
export interface ModelServiceOptions {
  readonly files: ModelFiles;
  /** Its name among the cloud's services. Default `models`. */
  readonly name?: string;
}

const ROUTE = "/v1/models/:model/:file";
/**
 * As in a manifest: what begins with a letter or digit and has no folder is a name, and nothing else reaches
 * the disk.
 */
const NAME = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Names that say what is in the file: it never changes. */
const CONTENT = /^[a-f0-9]{64}\b/;

/**
 * Gives edges what was published: `GET /v1/models/NAME/manifest.json`, `keys.json`, and the files beside
 * them; whole, or the rest of one (`Range`, `If-Range`), or 304 where they have it (`If-None-Match`). Source:
 * RFC 9110, 13 and 14.
 */
export function modelService({ files, name = "models" }: ModelServiceOptions): Service {
  const answer = async (c: Context): Promise<Response> => {
    const { model = "", file = "" } = c.req.param();
    const found = NAME.test(model) && NAME.test(file) ? await files.open({ model, file }) : undefined;
    if (!found) return c.json({ error: "no such file of a model" }, 404, { "cache-control": "no-cache" });
    const { size, etag } = found;
    const headers: Record<string, string> = {
      etag,
      "accept-ranges": "bytes",
      "cache-control": CONTENT.test(file) ? "public, max-age=31536000, immutable" : "no-cache",
      "content-type": file.endsWith(".json") ? "application/json" : "application/octet-stream",
    };
    const empty = async (
      status: 200 | 304 | 416,
      more: Readonly<Record<string, string>> = {},
    ): Promise<Response> => {
      await found.close();
      return c.body(null, status, { ...headers, ...more });
    };
    if (isKnown(c.req.header("if-none-match"), etag)) return empty(304);
    const range = readRange(
      { method: c.req.method, range: c.req.header("range"), ifRange: c.req.header("if-range") },
      { size, etag },
    );
    if (range === "outside") return empty(416, { "content-range": `bytes */${size}` });
    const { start, end } = range ?? { start: 0, end: size };
    headers["content-length"] = String(end - start);
    if (range) headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
    if (c.req.method === "HEAD" || end === start) return empty(200);
    return c.body(found.read({ start, end }) as never, range ? 206 : 200, headers);
  };

  return {
    name,
    ready: true,
    async start() {},
    mount(app, { metrics, logger }) {
      app.get(ROUTE, async (c) => {
        const response = await answer(c).catch((error: unknown) => {
          logger.error({ error: messageOf(error) }, "a model's file could not be read");
          return c.json({ error: "the file could not be read; the server's log says why" }, 500);
        });
        metrics.add("sedna_model_files_total", { code: String(response.status) });
        return response;
      });
      app.all(ROUTE, (c) => c.json({ error: "models: expected GET or HEAD" }, 405, { allow: "GET, HEAD" }));
    },
    async close() {},
  };
}
