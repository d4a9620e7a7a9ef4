import { waitAtMost } from "@sedna-js/core/async";
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Cloud } from "./create-cloud.ts";
import type { SocketLimits } from "./platform.ts";
import type { SocketRoute } from "./service.ts";

/** Timeout of a route's check of an upgrade request, in ms. */
const ACCEPT_MS = 5000;
/**
 * Maximum number of frames per message, and of buffered chunks per incomplete message. These limits stop
 * attacks with tiny frames.
 */
const CHUNKS = { maxFragments: 1024, maxBufferedChunks: 16 * 1024 } as const;

/** Accepts WebSockets on a server's port; see {@link acceptSocketUpgrades}. */
interface Upgrades {
  /** Terminates all open sockets. */
  terminate(): void;
}

/**
 * Turns HTTP upgrades into sockets of a cloud with `ws`, without compression. Every socket is pinged. A
 * socket is terminated if after two pings no pong and no byte of a message has arrived and the peer has read
 * nothing of the buffered data. Otherwise half-open connections would look alive for hours.
 */
export function acceptSocketUpgrades(
  server: Server,
  { cloud, limits = {} }: { readonly cloud: Cloud; readonly limits?: SocketLimits },
): Upgrades {
  const { maxConnections = 10_000, maxPerAddress = 1024, pingMs = 10_000, closeMs = 3000 } = limits;
  const doors = new Map<SocketRoute, WebSocketServer>();
  const doorOf = (route: SocketRoute): WebSocketServer => {
    const known = doors.get(route);
    if (known) return known;
    // The package's types do not yet have `closeTimeout`.
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: route.maxMessageBytes,
      closeTimeout: closeMs,
      ...CHUNKS,
    };
    const door = new WebSocketServer(options);
    doors.set(route, door);
    return door;
  };

  /** Number of connections per address group, including those in their handshake. */
  const perAddress = new Map<string, number>();
  const connections = new Set<Socket>();
  const admit = (socket: Socket): 429 | 503 | undefined => {
    const group = addressGroup(socket.remoteAddress ?? "");
    const before = perAddress.get(group) ?? 0;
    if (connections.size >= maxConnections) return 503;
    if (before >= maxPerAddress) return 429;
    connections.add(socket);
    perAddress.set(group, before + 1);
    socket.once("close", () => {
      connections.delete(socket);
      const left = perAddress.get(group)! - 1;
      if (left > 0) perAddress.set(group, left);
      else perAddress.delete(group);
    });
    return undefined;
  };

  const live = new Map<
    WebSocket,
    { readonly socket: Socket; read: number; waiting: number; misses: number }
  >();
  const watch = setInterval(() => {
    for (const [webSocket, seen] of live) {
      const { bytesRead } = seen.socket;
      const waiting = webSocket.bufferedAmount;
      const alive = bytesRead !== seen.read || waiting < seen.waiting;
      seen.read = bytesRead;
      seen.waiting = waiting;
      seen.misses = alive ? 0 : seen.misses + 1;
      if (seen.misses > 2) webSocket.terminate();
      else if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
    }
  }, pingMs);
  watch.unref();
  server.once("close", () => clearInterval(watch));

  const upgrade = async (incoming: IncomingMessage, socket: Socket, head: Buffer): Promise<void> => {
    if (incoming.headers.upgrade?.toLowerCase() !== "websocket")
      return refuse(socket, plain(426, "expected an upgrade to websocket", { upgrade: "websocket" }));
    const full = admit(socket);
    if (full) return refuse(socket, plain(full, "too many sockets are open", { "retry-after": "5" }));
    const request = requestOf(incoming);
    if (!request) return refuse(socket, plain(400, "expected a request with a host"));
    const route = await waitAtMost(cloud.acceptUpgrade(request as never), ACCEPT_MS);
    if (route === undefined)
      return refuse(socket, plain(503, "the service did not respond in time", { "retry-after": "5" }));
    if ("status" in route) return refuse(socket, route as never);
    doorOf(route).handleUpgrade(incoming, socket, head, (webSocket) => {
      live.set(webSocket, { socket, read: socket.bytesRead, waiting: 0, misses: 0 });
      webSocket.once("close", () => live.delete(webSocket));
      cloud.openSocket(webSocket as never, { route, request: request as never });
    });
  };
  server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    // Handles errors until the WebSocket has its own listener, such as a client that disconnects during the
    // route's check.
    socket.on("error", () => socket.destroy());
    upgrade(incoming, socket, head).catch(() => void refuse(socket, plain(500, "the server failed")));
  });

  return {
    terminate() {
      for (const socket of connections) socket.destroy();
    },
  };
}

/**
 * Returns the request without its body, as services see it; `undefined` if it has no `Host` header or its
 * target is not a path.
 */
function requestOf({ url = "", headers, rawHeaders }: IncomingMessage): Request | undefined {
  // Build the URL as text. Resolved as a reference, the target "//evil.example/" would name a host, which
  // would equal the origin of its page.
  if (headers.host === undefined || !url.startsWith("/")) return undefined;
  const pairs = rawHeaders.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name, rawHeaders[i + 1]!]] : [],
  );
  try {
    return new Request(`http://${headers.host}${url}`, { headers: pairs });
  } catch {
    return undefined;
  }
}

const plain = (status: number, error: string, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ error: `open a socket: ${error}` }), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });

async function refuse(socket: Socket, response: Response): Promise<void> {
  if (!socket.writable) return void socket.destroy();
  const body = Buffer.from(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  headers.set("content-length", String(body.length));
  const head = [
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`,
    ...[...headers].map(([name, value]) => `${name}: ${value}`),
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]));
}

/**
 * Returns the group to which an IP address belongs for per-address limits. The group of an IPv4 address, also
 * if it is written as IPv6, is the address itself. The group of an IPv6 address is its /64 prefix, the block
 * that one subscriber gets. The group of an unknown address is "".
 */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!address.includes(":")) return address;
  const [start = "", end] = address.split("%")[0]!.toLowerCase().split("::");
  const left = start === "" ? [] : start.split(":");
  const right = end === undefined || end === "" ? [] : end.split(":");
  const zeros = end === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill("0"), ...right].slice(0, 4).join(":");
}
