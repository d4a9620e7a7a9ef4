// A TCP proxy that injects faults and records every byte that an edge sent. For tests.
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

/** How the proxy fails. A change takes effect at once, also on open connections. */
export type Fault =
  | { readonly kind: "pass" }
  /** A new connection is cut at once. */
  | { readonly kind: "refuse" }
  /** Each chunk is delayed, in ms. */
  | { readonly kind: "latency"; readonly ms: number }
  /** Connections are accepted and never read: the edge sees an open socket that does not respond. */
  | { readonly kind: "half-open" }
  /** A connection is reset after this number of bytes upstream. */
  | { readonly kind: "reset"; readonly after: number }
  /** The response ends after this number of bytes. */
  | { readonly kind: "truncate"; readonly after: number }
  /** One bit of the byte at this position of a connection's data is flipped. */
  | { readonly kind: "corrupt"; readonly at: number; readonly way: "up" | "down" }
  /** The response is not HTTP. */
  | { readonly kind: "garbage" };

/** See {@link faultProxy}. */
export interface FaultProxy {
  readonly url: string;
  set(fault: Fault): void;
  /** Bytes that edges have sent, one buffer per connection, whether they were forwarded or not. */
  received(): Buffer[];
  close(): Promise<void>;
}

/** Starts a proxy on a free port in front of the server at `url`. */
export async function faultProxy(url: string): Promise<FaultProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const captures: Buffer[][] = [];
  const timers = new Set<NodeJS.Timeout>();
  const state: { fault: Fault } = { fault: { kind: "pass" } };
  const stopped = new Set<Socket>();

  /** Applies the current fault to a chunk. Returns `undefined` if the fault has ended the connection. */
  const spoil = (
    chunk: Buffer,
    {
      seen,
      way,
      edge,
      cloud,
    }: { readonly seen: number; readonly way: "up" | "down"; readonly edge: Socket; readonly cloud: Socket },
  ): Buffer | undefined => {
    const { fault } = state;
    const end = (): undefined => void (edge.destroy(), cloud.destroy());
    if (fault.kind === "reset" && way === "up" && seen + chunk.length > fault.after)
      return void (edge.resetAndDestroy(), cloud.destroy());
    if (fault.kind === "garbage" && way === "down")
      return void (edge.end("\x00\x01 this is not HTTP\r\n\r\n"), cloud.destroy());
    if (fault.kind === "truncate" && way === "down" && seen + chunk.length > fault.after)
      return void edge.write(chunk.subarray(0, Math.max(0, fault.after - seen)), end);
    if (fault.kind === "corrupt" && fault.way === way && fault.at >= seen && fault.at < seen + chunk.length) {
      const spoilt = Buffer.from(chunk);
      spoilt[fault.at - seen]! ^= 1 << (fault.at % 8);
      return spoilt;
    }
    return chunk;
  };

  const server = createServer((edge) => {
    sockets.add(edge.on("error", () => {}));
    edge.on("close", () => sockets.delete(edge));
    if (state.fault.kind === "refuse") return void edge.resetAndDestroy();
    const cloud = connect(Number(target.port), target.hostname);
    sockets.add(cloud.on("error", () => edge.destroy()));
    cloud.on("close", () => (sockets.delete(cloud), edge.destroy()));
    edge.on("close", () => (stopped.delete(edge), cloud.destroy()));
    const capture: Buffer[] = [];
    captures.push(capture);
    const carry = (way: "up" | "down"): void => {
      const [from, to] = way === "up" ? [edge, cloud] : [cloud, edge];
      let seen = 0;
      from.on("data", (chunk: Buffer) => {
        if (way === "up") capture.push(chunk);
        const passed = spoil(chunk, { seen, way, edge, cloud });
        seen += chunk.length;
        if (passed === undefined) return;
        if (state.fault.kind !== "latency") return void to.write(passed);
        const timer = setTimeout(() => (timers.delete(timer), to.write(passed)), state.fault.ms);
        timers.add(timer);
      });
    };
    carry("up");
    carry("down");
    if (state.fault.kind === "half-open") stopped.add(edge.pause());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(fault) {
      state.fault = fault;
      if (fault.kind === "half-open") for (const socket of sockets) stopped.add(socket.pause());
      else for (const socket of stopped) stopped.delete(socket.resume());
    },
    received: () => captures.map((chunks) => Buffer.concat(chunks)),
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
