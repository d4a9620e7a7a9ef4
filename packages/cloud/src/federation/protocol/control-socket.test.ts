import { once } from "node:events";
import { SednaError } from "@sedna-js/core";
import type { FederationPlan, FederationTask } from "@sedna-js/core/wire";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { createCloud } from "../../http/create-cloud.ts";
import type { Serving } from "../../http/platform.ts";
import { serve } from "../../http/serve.node.ts";
import type { ServiceSocket } from "../../http/service.ts";
import { controlSocket, type ControlSocketOptions } from "./control-socket.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";
import type { Sessions } from "../sessions/sessions.ts";

// Real sockets. The federation behind them is a stub that the tests control, so that every order of events
// can be produced.

// On a busy machine any step can be slow, so no check depends on duration.
vi.setConfig({ testTimeout: 60_000 });
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });

const running: Serving[] = [];
const clients: WebSocket[] = [];
afterEach(() => {
  for (const socket of clients.splice(0)) socket.terminate();
});
afterAll(() => Promise.all(running.map((one) => one.close())));

const wait = (seq: number): FederationTask => ({
  kind: "wait",
  seq,
  round: 0,
  modelVersion: 0,
  retryAfterMs: 1000,
});

/**
 * Creates a federation whose tasks are set by hand, and sessions whose tokens are `<client>.<epoch>`; only
 * the latest epoch is valid.
 */
function stage(more: Partial<ControlSocketOptions> = {}) {
  const listeners = new Map<string, Set<(task: FederationTask) => void>>();
  const tasks = new Map<string, FederationTask>();
  const epochs = new Map<string, number>();
  /** Clients with a valid session that the federation does not know. */
  const strangers = new Set<string>();
  const held: { gate: Promise<void> | undefined } = { gate: undefined };
  const federation = {
    plan: { name: "digits" } as FederationPlan,
    task: ({ client }: Member) => tasks.get(client) ?? wait(1),
    onTask({ client }: Member, listener: (task: FederationTask) => void) {
      if (strangers.has(client))
        throw new SednaError("take part: expected a client that has joined; got an unknown client", {
          code: "session-ended",
        });
      const all = listeners.get(client) ?? new Set();
      listeners.set(client, all.add(listener));
      return () => void all.delete(listener);
    },
  } as Federation;
  const sessions = {
    async verify(token: string) {
      await held.gate;
      const [client = "", epoch = ""] = token.split(".");
      const newest = epochs.get(client);
      if (newest === undefined) return { rejected: "unauthorized", error: "no such session" };
      return newest === Number(epoch)
        ? { client, epoch: newest }
        : { rejected: "session-replaced", error: "a newer session exists" };
    },
  } as Sessions;
  return {
    options: { federations: [federation], sessions, ...more },
    epochs,
    strangers,
    held,
    set(client: string, task: FederationTask) {
      tasks.set(client, task);
      for (const listener of listeners.get(client) ?? []) listener(task);
    },
    listening: (client: string) => listeners.get(client)?.size ?? 0,
  };
}
const start = async (options: ControlSocketOptions): Promise<string> => {
  const cloud = createCloud({
    services: [
      {
        name: "control",
        mount() {},
        sockets: [controlSocket(options)],
        start: async () => {},
        ready: true,
        close: async () => {},
      },
    ],
    token: "the-clouds-own",
  });
  await cloud.start();
  const serving = await serve(cloud, { port: 0 });
  running.push(serving);
  return `${serving.url.replace("http", "ws")}/v1/federations/digits/control`;
};
/** Opens a socket that records the frames it receives. */
const connect = async (
  url: string,
  token?: string,
): Promise<{ socket: WebSocket; heard: unknown[]; closed: Promise<{ code: number; reason: string }> }> => {
  const socket = new WebSocket(url);
  clients.push(socket);
  const heard: unknown[] = [];
  socket.on("message", (data: Buffer) => heard.push(JSON.parse(data.toString())));
  const closed = once(socket, "close").then(([code, reason]) => ({
    code: code as number,
    reason: String(reason),
  }));
  await once(socket, "open");
  if (token !== undefined) socket.send(JSON.stringify({ type: "hello", token }));
  return { socket, heard, closed };
};

describe("a control socket", () => {
  it("sends a client its task at once, and once after each change", async () => {
    const { options, epochs, set } = stage();
    epochs.set("a", 1);
    const { heard } = await connect(await start(options), "a.1");
    await eventually(() => heard).toEqual([wait(1)]);
    const train: FederationTask = {
      kind: "train",
      seq: 2,
      round: 1,
      modelVersion: 0,
      remainingMs: 5000,
      accepted: false,
    };
    set("a", train);
    set("a", train);
    await eventually(() => heard).toEqual([wait(1), train]);
    set("a", { kind: "done", seq: 3, round: 1, modelVersion: 1 });
    await eventually(() => heard.at(-1)).toMatchObject({ kind: "done", seq: 3 });
    expect(heard).toHaveLength(3);
  });

  it("sends only the latest task if tasks change faster than the session is verified", async () => {
    const { options, epochs, set, held } = stage();
    epochs.set("a", 1);
    const { heard } = await connect(await start(options), "a.1");
    await eventually(() => heard).toHaveLength(1);
    let release = (): void => {};
    held.gate = new Promise((resolve) => (release = resolve));
    for (let seq = 2; seq <= 50; seq++) set("a", wait(seq));
    held.gate = undefined;
    release();
    await eventually(() => heard).toEqual([wait(1), wait(50)]);
  });

  it("responds to pings, and closes on any other frame after the hello", async () => {
    const { options, epochs } = stage();
    epochs.set("a", 1);
    const url = await start(options);
    const { socket, heard, closed } = await connect(url, "a.1");
    socket.send('{"type":"ping"}');
    await eventually(() => heard).toContainEqual({ type: "pong" });
    socket.send('{"type":"hello","token":"a.1"}');
    expect(await closed).toEqual({ code: 1008, reason: "expected a ping" });
    const binary = await connect(url);
    binary.socket.send(Buffer.from("x"));
    expect(await binary.closed).toEqual({ code: 1003, reason: "expected text" });
  });

  it("C23: closes on a flood of frames", async () => {
    const { options, epochs } = stage();
    epochs.set("a", 1);
    const { socket, closed } = await connect(await start(options), "a.1");
    for (let i = 0; i < 100; i++) socket.send('{"type":"ping"}');
    expect(await closed).toEqual({ code: 1008, reason: "expected fewer frames" });
  });

  it("requires a valid token in the first frame, within the time limit", async () => {
    const { options, epochs } = stage();
    epochs.set("a", 2);
    const url = await start(options);
    expect(await (await connect(await start({ ...options, helloMs: 60 }))).closed).toEqual({
      code: 4401,
      reason: "expected a hello within 60 ms",
    });
    expect(await (await connect(url, "b.1")).closed).toEqual({ code: 4401, reason: "unauthorized" });
    expect(await (await connect(url, "a.1")).closed).toEqual({ code: 4409, reason: "session-replaced" });
    const other = await connect(url);
    other.socket.send('{"type":"ping"}');
    expect(await other.closed).toMatchObject({ code: 4401 });
  });

  it("C20: closes the socket of a client that the federation does not know, and accepts the client after it has joined", async () => {
    const { options, epochs, strangers } = stage();
    epochs.set("a", 1);
    strangers.add("a");
    const url = await start(options);
    expect(await (await connect(url, "a.1")).closed).toEqual({ code: 4401, reason: "unauthorized" });
    strangers.delete("a");
    const { heard } = await connect(url, "a.1");
    await expect.poll(() => heard).toEqual([wait(1)]);
  });

  it("responds with 404 for an unknown federation", async () => {
    const url = await start(stage().options);
    const socket = new WebSocket(url.replace("digits", "letters"));
    clients.push(socket);
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toContain("404");
  });

  it("C23: closes the older socket of a device when a newer session opens one, and sends nothing more to it", async () => {
    const { options, epochs, set, listening } = stage();
    epochs.set("a", 1);
    const url = await start(options);
    const old = await connect(url, "a.1");
    await eventually(() => old.heard).toHaveLength(1);
    epochs.set("a", 2);
    const young = await connect(url, "a.2");
    expect(await old.closed).toEqual({ code: 4409, reason: "session-replaced" });
    set("a", wait(7));
    await eventually(() => young.heard.at(-1)).toEqual(wait(7));
    expect(old.heard).toEqual([wait(1)]);
    await eventually(() => listening("a")).toBe(1);
  });

  it("closes a socket whose session was replaced or ended without another socket: at the next task, or at the next check", async () => {
    const { options, epochs, set } = stage({ recheckMs: 50 });
    for (const client of ["a", "b"]) epochs.set(client, 1);
    const url = await start({ ...options, recheckMs: 3_600_000 });
    const a = await connect(url, "a.1");
    await eventually(() => a.heard).toHaveLength(1);
    epochs.set("a", 2);
    set("a", wait(2));
    expect(await a.closed).toMatchObject({ code: 4409 });
    expect(a.heard).toEqual([wait(1)]);
    const b = await connect(await start(options), "b.1");
    await eventually(() => b.heard).toHaveLength(1);
    epochs.delete("b");
    expect(await b.closed).toEqual({ code: 4401, reason: "unauthorized" });
  });

  it("lets a client that lost its connection open another socket with the same session", async () => {
    const { options, epochs, set } = stage();
    epochs.set("a", 1);
    const url = await start(options);
    const half = await connect(url, "a.1");
    await eventually(() => half.heard).toHaveLength(1);
    const again = await connect(url, "a.1");
    expect(await half.closed).toEqual({ code: 1000, reason: "another socket of this session" });
    set("a", wait(2));
    await eventually(() => again.heard).toEqual([wait(1), wait(2)]);
  });

  it("leaves no listener and no timer behind, even if the client disconnects while its token is verified", async () => {
    const { options, epochs, held, listening } = stage({ recheckMs: 10 });
    epochs.set("a", 1);
    const url = await start(options);
    const one = await connect(url, "a.1");
    await eventually(() => listening("a")).toBe(1);
    one.socket.close();
    await eventually(() => listening("a")).toBe(0);
    let release = (): void => {};
    held.gate = new Promise((resolve) => (release = resolve));
    const two = await connect(url, "a.1");
    two.socket.terminate();
    await two.closed;
    release();
    await held.gate;
    expect(listening("a")).toBe(0);
  });

  it("C27: does not throw on any frame, and closes with one of its codes", async () => {
    const route = controlSocket(stage().options);
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.json(),
            fc.uint8Array(),
            fc.constantFrom(
              '{"type":"hello"}',
              '{"type":"hello","token":""}',
              '{"type":"hello","token":"__proto__.1"}',
              '{"type":"ping"}',
            ),
          ),
          { minLength: 1, maxLength: 5 },
        ),
        async (frames) => {
          let said: number | undefined;
          const hear: ((data: string | Uint8Array) => unknown)[] = [];
          const end: ((code: number) => void)[] = [];
          const socket: ServiceSocket = {
            send() {},
            bufferedAmount: 0,
            close: (code = 1000) => void (said ??= code),
            onMessage: (listener) => void hear.push(listener),
            onClose: (listener) => void end.push(listener),
          };
          route.open(socket, new Request("http://cloud/v1/federations/digits/control") as never);
          for (const frame of frames) await Promise.all(hear.map((listener) => listener(frame)));
          for (const listener of end) listener(1006);
          expect([1003, 1008, 4401, 4409]).toContain(said);
        },
      ),
      { numRuns: 300 },
    );
  });
});
