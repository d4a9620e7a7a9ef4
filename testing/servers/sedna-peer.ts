// A client of Sedna's aggregation protocol on a real socket, frame by frame.
import { once } from "node:events";
import { WebSocket } from "ws";

/** See {@link sednaPeer}. */
export interface SednaPeer {
  readonly socket: WebSocket;
  /** All frames received so far. */
  readonly frames: readonly string[];
  /** Resolves to the next frame that was not read yet. */
  next(): Promise<string>;
  /** Reads frames until one of this type, and resolves to it. */
  nextOf(type: string): Promise<Record<string, unknown>>;
  send(message: unknown): void;
  update(
    client: string,
    options: { readonly samples: number; readonly weights: unknown; readonly job?: string },
  ): void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Opens a socket at `http://host:port/FedAvg`. If `clientId` is given, subscribes and waits for the echo. */
export async function sednaPeer(url: string, clientId?: string): Promise<SednaPeer> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), { perMessageDeflate: false });
  const frames: string[] = [];
  const waiting: ((frame: string) => void)[] = [];
  let taken = 0;
  socket.on("error", () => {});
  socket.on("message", (data: Buffer) => {
    frames.push(data.toString());
    while (waiting.length > 0 && taken < frames.length) waiting.shift()!(frames[taken++]!);
  });
  const closed = once(socket, "close").then(([code, reason]) => ({
    code: code as number,
    reason: String(reason),
  }));
  await once(socket, "open");
  const next = (): Promise<string> =>
    waiting.length === 0 && taken < frames.length
      ? Promise.resolve(frames[taken++]!)
      : new Promise((resolve) => waiting.push(resolve));
  const peer: SednaPeer = {
    socket,
    frames,
    next,
    async nextOf(type) {
      while (true) {
        const message = JSON.parse(await next()) as Record<string, unknown>;
        if (message["type"] === type) return message;
      }
    },
    send: (message) =>
      socket.send(
        typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message),
      ),
    update: (client, { samples, weights, job = "fl" }) =>
      socket.send(
        JSON.stringify({
          type: "update_weight",
          client,
          data: { num_samples: samples, weights },
          job_name: job,
        }),
      ),
    closed,
  };
  if (clientId !== undefined) {
    peer.send({ type: "subscribe", client_id: clientId });
    await peer.nextOf("subscribe");
  }
  return peer;
}
