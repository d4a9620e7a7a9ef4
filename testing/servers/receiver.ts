// Servers with predefined responses, on real sockets, for tests.
import type { RequestListener, Server } from "node:http";
import type { AddressInfo, Server as SocketServer, Socket } from "node:net";

/** Starts a server on a free port. `close` cuts all its connections. */
export async function listenLocally(
  server: Server | SocketServer,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Returns a listener that responds when the request has arrived completely. */
export const answer =
  (status: number, body: unknown = { stored: true }, headers: Record<string, string> = {}): RequestListener =>
  (request, response) =>
    void request
      .resume()
      .on("end", () =>
        response
          .writeHead(status, { "content-type": "application/json", ...headers })
          .end(typeof body === "string" ? body : JSON.stringify(body)),
      );

/** Responds one byte at a time. */
export const drip: RequestListener = (_, response) => {
  response.writeHead(200, { "content-length": "1000" });
  const timer = setInterval(() => response.write("x"), 20);
  response.on("close", () => clearInterval(timer));
};

/** Sends an endless response. */
export const flood: RequestListener = (_, response) => {
  const timer = setInterval(() => response.write("x".repeat(65_536)), 1);
  response.on("close", () => clearInterval(timer));
};
