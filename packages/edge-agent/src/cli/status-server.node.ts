import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { isIP, type AddressInfo } from "node:net";
import { METRICS_TYPE } from "@sedna-js/core/adapters/prometheus";
import type { DeviceStatus } from "./device-status.ts";

/** Options of {@link openStatusServer}. */
export interface StatusServerOptions {
  readonly status: () => DeviceStatus;
  /** Returns the metrics in Prometheus text format. */
  readonly metrics: () => string;
  /** Port to listen on. 0 selects a free port. */
  readonly port: number;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
}

/** A listening status server. */
export interface StatusServer extends AsyncDisposable {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the agent's state on this machine: `GET /status`, `/metrics`, and `/health` (503 if the agent is not
 * healthy). The server is read-only, so it requires no token. It checks the `Host` header to reject a web
 * page that points its own name at this machine (DNS rebinding).
 *
 * @throws {Error} If the port is in use.
 */
export async function openStatusServer({
  status,
  metrics,
  port,
  host = "127.0.0.1",
}: StatusServerOptions): Promise<StatusServer> {
  const json = (
    response: ServerResponse,
    { code, body }: { readonly code: number; readonly body: unknown },
  ): void => {
    response
      .writeHead(code, { "content-type": "application/json; charset=utf-8" })
      .end(`${JSON.stringify(body)}\n`);
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader("cache-control", "no-store").setHeader("x-content-type-options", "nosniff");
    if (!isOurs(request.headers.host, host))
      return json(response, {
        code: 403,
        body: { error: `expected a Host that is an address, localhost or ${host}` },
      });
    if (request.method !== "GET" && request.method !== "HEAD") {
      // Close the connection so that a request body is not read.
      response.setHeader("allow", "GET, HEAD").setHeader("connection", "close");
      return json(response, { code: 405, body: { error: "expected GET: this server is read-only" } });
    }
    const [pathname] = (request.url ?? "/").split("?");
    if (pathname === "/metrics")
      return void response.writeHead(200, { "content-type": METRICS_TYPE }).end(metrics());
    if (pathname === "/status") return json(response, { code: 200, body: status() });
    if (pathname !== "/health")
      return json(response, { code: 404, body: { error: "expected /status, /metrics or /health" } });
    const { healthy, problems } = status();
    json(response, { code: healthy ? 200 : 503, body: { healthy, problems } });
  };
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 },
    (request, response) => {
      try {
        answer(request, response);
      } catch {
        // For example, while the agent is closing.
        if (!response.headersSent) response.writeHead(500);
        response.end();
      }
    },
  );
  server.maxConnections = 32;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? taken({ port, host }, error) : error),
    );
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
  // For example, when file descriptors run out: only the status request fails.
  server.on("error", () => {});
  const address = server.address() as AddressInfo;
  const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${shownHost}:${address.port}`, close, [Symbol.asyncDispose]: close };
}

function taken({ port, host }: { readonly port: number; readonly host: string }, cause: unknown): Error {
  return new Error(
    `serve the status on ${host}:${port}: expected a free port; another program listens there (EADDRINUSE), perhaps another job: give each a status.port of its own`,
    { cause },
  );
}

/**
 * Returns whether a `Host` header names this server. A name can be rebound to another address, an IP address
 * cannot, so this check prevents DNS rebinding.
 */
function isOurs(header: string | undefined, host: string): boolean {
  const name = (header ?? "")
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
  return name === "localhost" || name === host.toLowerCase() || isIP(name) !== 0;
}
