import { setTimeout } from "node:timers/promises";
import type { AddressInfo } from "node:net";
import type { IncomingMessage, Server, ServerOptions } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { withHostBody } from "./body-chunks.ts";
import type { Cloud } from "./create-cloud.ts";
import type { ServeOptions, Serving } from "./platform.ts";
import { takeUpgrades } from "./upgrades.node.ts";

/** How long a drained cloud still answers 503, so that no request is cut off on its way. */
const LINGER_MS = 300;

/**
 * Puts a cloud on a socket: the only place that knows of one.
 * @throws when the port is taken.
 */
export async function serve(
  cloud: Cloud,
  { port, host = "127.0.0.1", drainMs = 10_000, sockets }: ServeOptions,
): Promise<Serving> {
  const server = createAdaptorServer({
    // Left early, a body is not torn off with its connection: the answer has to arrive.
    fetch: (request: globalThis.Request, { incoming }: { readonly incoming: unknown }) =>
      cloud(
        withHostBody(
          request as never,
          () => (incoming as IncomingMessage).iterator({ destroyOnReturn: false }) as never,
        ),
      ) as never,
    // Where Node asks (from 24.9 on): who offers another upgrade, as HTTP clients do with h2c, is answered as
    // if it had not.
    serverOptions: {
      shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
    } as ServerOptions,
  }) as Server;
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  const upgrades = cloud.takesSockets ? takeUpgrades(server, { cloud, limits: sockets }) : undefined;
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
      // WebSockets are told first, by 1012. Listening goes on while the cloud drains and a moment longer: who
      // comes meanwhile, or has connected and not yet asked, is told 503 and when to come back, not cut off.
      const late = globalThis.setTimeout(() => {
        server.closeAllConnections();
        upgrades?.terminate();
      }, drainMs);
      // A model that hangs is left behind: a shutdown must end.
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
