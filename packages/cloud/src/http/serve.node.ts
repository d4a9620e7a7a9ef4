import { setTimeout } from "node:timers/promises";
import type { AddressInfo } from "node:net";
import type { IncomingMessage, Server, ServerOptions } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { withHostBody } from "./body-chunks.ts";
import type { Cloud } from "./create-cloud.ts";
import type { ServeOptions, Serving } from "./platform.ts";
import { acceptSocketUpgrades } from "./upgrades.node.ts";

/**
 * Time for which a drained cloud still responds with 503, so that no request in transit is cut off, in ms.
 */
const LINGER_MS = 300;

/**
 * Serves a cloud on a network socket. No other module uses one.
 * @throws If the port is in use.
 */
export async function serve(
  cloud: Cloud,
  { port, host = "127.0.0.1", drainMs = 10_000, sockets }: ServeOptions,
): Promise<Serving> {
  const server = createAdaptorServer({
    // If the cloud stops reading a body early, keep the connection, because the response must still arrive.
    fetch: (request: globalThis.Request, { incoming }: { readonly incoming: unknown }) =>
      cloud(
        withHostBody(
          request as never,
          () => (incoming as IncomingMessage).iterator({ destroyOnReturn: false }) as never,
        ),
      ) as never,
    // Node 24.9 and later call this. A request that offers another upgrade, as HTTP clients do with h2c, gets
    // a response as if it did not.
    serverOptions: {
      shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
    } as ServerOptions,
  }) as Server;
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  const upgrades = cloud.takesSockets ? acceptSocketUpgrades(server, { cloud, limits: sockets }) : undefined;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address;

  return {
    url: `http://${shownHost}:${address.port}`,
    async close() {
      // Close WebSockets first, with 1012. Keep listening while the cloud drains and a moment longer: a
      // client that connects meanwhile, or that has connected and not yet sent its request, gets 503 with
      // Retry-After instead of a cut connection.
      const late = globalThis.setTimeout(() => {
        server.closeAllConnections();
        upgrades?.terminate();
      }, drainMs);
      // Do not wait for a model that hangs: a shutdown must end.
      await Promise.race([cloud.drain(), setTimeout(drainMs, undefined, { ref: false })]);
      await setTimeout(LINGER_MS);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      await closed;
      clearInterval(idle);
      clearTimeout(late);
    },
  };
}
