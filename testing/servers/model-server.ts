// A real web server of a publisher's files that injects failures and records its requests. For tests.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Handles a request in its own way. Returns true if it has handled the request. */
export type RequestFault = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array | undefined,
) => boolean;

/** See {@link modelServer}. */
export interface ModelServer {
  readonly url: string;
  /** Files by name. */
  files: ReadonlyMap<string, Uint8Array>;
  mischief: RequestFault | undefined;
  /** All requests for files that are not JSON: name, `Range` and `If-Range`. */
  readonly asked: {
    readonly path: string;
    readonly range: string | undefined;
    readonly ifRange: string | undefined;
  }[];
  close(): Promise<void>;
}

/** Starts a server on a free port. It supports ranges and entity tags, as any web server does. */
export async function modelServer(files: ReadonlyMap<string, Uint8Array> = new Map()): Promise<ModelServer> {
  const asked: ModelServer["asked"] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = new URL(request.url!, "http://x").pathname.slice(1);
    const body = server.files.get(path);
    const { range, "if-range": ifRange } = request.headers;
    if (!path.endsWith(".json")) asked.push({ path, range, ifRange: ifRange as string | undefined });
    // Pages of other origins may read all responses.
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
