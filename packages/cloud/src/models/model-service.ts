import { messageOf } from "@sedna-js/core/errors";
import type { Context } from "hono";
import { isKnown, readRange } from "../http/byte-range.ts";
import type { Service } from "../http/service.ts";

/** An open published file. It is closed by reading to its end or by `close`. */
export interface PublishedFile {
  /** Size in bytes. */
  readonly size: number;
  /** Strong ETag, in quotes; it differs for different content. */
  readonly etag: string;
  /** Returns the bytes from `start` to `end`, without `end`. */
  read(range: { readonly start: number; readonly end: number }): ReadableStream<Uint8Array>;
  close(): Promise<void>;
}

/** Storage of published models. */
export interface ModelFiles {
  /**
   * Opens a file of a model; resolves to `undefined` if there is no such file. Both names are plain names,
   * without folders.
   */
  open(place: { readonly model: string; readonly file: string }): Promise<PublishedFile | undefined>;
}

/** Options of {@link modelService}. */
export interface ModelServiceOptions {
  readonly files: ModelFiles;
  /** Name of the service in the cloud. Default `models`. */
  readonly name?: string;
}

const ROUTE = "/v1/models/:model/:file";
/**
 * As in a manifest: a name starts with a letter or digit and contains no folder. Only valid names reach the
 * disk.
 */
const NAME = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Names that start with the content's SHA-256: such a file never changes. */
const CONTENT = /^[a-f0-9]{64}\b/;

/**
 * Creates a service that serves published models to edges: `GET /v1/models/NAME/manifest.json`, `keys.json`,
 * and the other files of the model. It sends the whole file, a range of it (`Range`, `If-Range`), or 304 if
 * the client has it (`If-None-Match`). Source: RFC 9110, 13 and 14.
 */
export function modelService({ files, name = "models" }: ModelServiceOptions): Service {
  const answer = async (c: Context): Promise<Response> => {
    const { model = "", file = "" } = c.req.param();
    const found = NAME.test(model) && NAME.test(file) ? await files.open({ model, file }) : undefined;
    if (!found) return c.json({ error: "no such model file" }, 404, { "cache-control": "no-cache" });
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
          logger.error({ error: messageOf(error) }, "a model file could not be read");
          return c.json({ error: "the file could not be read; see the server's log" }, 500);
        });
        metrics.add("sedna_model_files_total", { code: String(response.status) });
        return response;
      });
      app.all(ROUTE, (c) => c.json({ error: "models: expected GET or HEAD" }, 405, { allow: "GET, HEAD" }));
    },
    async close() {},
  };
}
