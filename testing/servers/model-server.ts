// A real web server of a publisher's files that fails as it is told, and remembers what it was asked. For
// tests.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers one request in its own way, and says so by true. */
export type Mischief = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array | undefined,
) => boolean;

/** See {@link modelServer}. */
export interface ModelServer {
  readonly url: string;
  /** What lies there, by name. */
  files: ReadonlyMap<string, Uint8Array>;
  mischief: Mischief | undefined;
  /** Each request for a file that is no JSON: its name and its `Range`. */
  readonly asked: {
    readonly path: string;
    readonly range: string | undefined;
    readonly ifRange: string | undefined;
  }[];
  close(): Promise<void>;
}

/** A server on a free port. It knows ranges and entity tags, as any does. */
export async function modelServer(files: ReadonlyMap<string, Uint8Array> = new Map()): Promise<ModelServer> {
  const asked: ModelServer["asked"] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = new URL(request.url!, "http://x").pathname.slice(1);
    const body = server.files.get(path);
    const { range, "if-range": ifRange } = request.headers;
    if (!path.endsWith(".json")) asked.push({ path, range, ifRange: ifRange as string | undefined });
    // Pages of other origins may read all of it.
    response
      .setHeader("access-control-allow-origin", "*")
      .setHeader("access-control-expose-headers", "content-range, etag")
      .setHeader("access-control-allow-headers", "if-range, range");
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (server.mischief?.(request, response, body)) return;
    if (!body) return void response.writeHead(404).end();
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const etag = `"${body.length}-${body.at(-1)}"`;
    if (from > 0 && (ifRange === undefined || ifRange === etag))
      return void response
        .writeHead(206, { etag, "content-range": `bytes ${from}-${body.length - 1}/${body.length}` })
        .end(body.subarray(from));
    response.writeHead(200, { etag }).end(body);
  };
  const http = createServer(answer);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: ModelServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/manifest.json`,
    files,
    mischief: undefined,
    asked,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}
