import { once } from "node:events";
import type { SednaError } from "@sedna-js/core";
import type { FederationTask } from "@sedna-js/core/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { federationServer, type FederationServer } from "../../../../testing/servers/federation-server.ts";
import { federationTransport, type FederationTransportOptions } from "./federation-transport.ts";

// These tests use real sockets and a real server.

const at = { server: undefined as unknown as FederationServer, stop: new AbortController() };
beforeEach(async () => {
  at.server = await federationServer();
  at.stop = new AbortController();
});
afterEach(async () => {
  at.stop.abort();
  await at.server.close();
});

const joined = async (options: Partial<FederationTransportOptions>) => {
  const one = federationTransport({
    url: at.server.url,
    name: "four",
    random: () => 0,
    deadlineMs: 2000,
    ...options,
  });
  await one.join({ protocol: 1, device: "edge-7", numSamples: 10 }, { signal: at.stop.signal });
  at.server.asked.length = 0;
  return one;
};
const failure = async (work: Promise<unknown>): Promise<SednaError> => {
  try {
    await work;
  } catch (error) {
    return error as SednaError;
  }
  throw new Error("expected a failure; got success");
};
const train = (seq: number, round = 1): FederationTask => ({
  kind: "train",
  seq,
  round,
  modelVersion: 0,
  remainingMs: 1000,
  accepted: false,
});

describe.each(["poll", "socket"] as const)("tasks() by %s", (control) => {
  const listen = async (options: Partial<FederationTransportOptions> = {}) => {
    const one = await joined({ control, pollWaitS: 5, baseMs: 20, ...options });
    return { one, tasks: one.tasks({ signal: at.stop.signal })[Symbol.asyncIterator]() };
  };

  it("yields the task at once and whenever it changes", async () => {
    const { tasks } = await listen();
    expect((await tasks.next()).value).toMatchObject({ kind: "wait", seq: 1 });
    for (const seq of [2, 3]) {
      const next = tasks.next();
      at.server.say(train(seq));
      expect((await next).value).toEqual(train(seq));
    }
  });

  it("continues after the connection is cut", async () => {
    const { tasks } = await listen();
    await tasks.next();
    const next = tasks.next();
    await expect.poll(() => at.server.asked.length + at.server.sockets.size).toBeGreaterThan(1);
    for (const socket of at.server.sockets) socket.terminate();
    at.server.say(train(2));
    expect(["wait", "train"]).toContain((await next).value.kind);
  });

  it("throws if the session has ended or was replaced", async () => {
    const { tasks } = await listen();
    await tasks.next();
    at.server.former.add(at.server.token);
    at.server.token = "another's";
    for (const socket of at.server.sockets) socket.terminate();
    at.server.say(train(2));
    expect(await failure(drain(tasks))).toMatchObject({ code: "session-replaced" });
    const again = await listen();
    await again.tasks.next();
    at.server.token = "";
    for (const socket of at.server.sockets) socket.terminate();
    at.server.say(train(3));
    expect(await failure(drain(again.tasks))).toMatchObject({ code: "session-ended" });
  });

  it("stops when its signal aborts while it waits for a task", async () => {
    const { tasks } = await listen();
    await tasks.next();
    const next = failure(Promise.resolve(tasks.next()));
    at.stop.abort(new Error("enough"));
    expect((await next).message).toBe("enough");
    await expect.poll(() => at.server.sockets.size).toBe(0);
  });
});

describe("tasks() over the control socket", () => {
  const listen = async (options: Partial<FederationTransportOptions> = {}) => {
    const one = await joined({ control: "socket", pollWaitS: 5, baseMs: 5, ...options });
    return one.tasks({ signal: at.stop.signal })[Symbol.asyncIterator]();
  };

  it("C3: detects by its pings that the other end is gone and reconnects", async () => {
    const tasks = await listen({ pingMs: 20 });
    await tasks.next();
    const [socket] = at.server.sockets;
    socket!.pause();
    const gone = once(socket!, "close");
    const next = tasks.next();
    expect((await next).value).toMatchObject({ kind: "wait" });
    expect(at.server.asked.filter(({ method }) => method === "UPGRADE").length).toBe(2);
    socket!.resume();
    await gone;
  });

  it("keeps a connection that responds to its pings", async () => {
    const tasks = await listen({ pingMs: 5 });
    await tasks.next();
    const [socket] = at.server.sockets;
    let pings = 0;
    await new Promise<void>((resolve) => socket!.on("message", () => ++pings === 10 && resolve()));
    const next = tasks.next();
    at.server.say(train(2));
    expect((await next).value).toEqual(train(2));
    expect(at.server.asked.filter(({ method }) => method === "UPGRADE").length).toBe(1);
  });

  it("polls after three failed handshakes and later returns to sockets", async () => {
    at.server.refuseSockets = true;
    const tasks = await listen({ withoutSocketMs: 100 });
    expect((await tasks.next()).value).toMatchObject({ kind: "wait" });
    expect(at.server.asked.map(({ method }) => method)).toEqual(["UPGRADE", "UPGRADE", "UPGRADE", "GET"]);
    at.server.refuseSockets = false;
    while (at.server.sockets.size === 0) await tasks.next();
  });

  it("C25: reconnects after the delay that a cloud sends when it shuts down", async () => {
    const tasks = await listen();
    await tasks.next();
    const [socket] = at.server.sockets;
    const before = performance.now();
    socket!.close(1012, JSON.stringify({ retryAfterMs: 300 }));
    await tasks.next();
    expect(performance.now() - before).toBeGreaterThan(299);
  });

  it("C5: closes a connection that delivers an invalid task and reconnects", async () => {
    const tasks = await listen();
    await tasks.next();
    const [socket] = at.server.sockets;
    const gone = once(socket!, "close");
    const next = tasks.next();
    socket!.send('{"kind":"train","seq":"many"}');
    await gone;
    expect((await next).value).toMatchObject({ kind: "wait" });
  });
});

async function drain(tasks: AsyncIterator<FederationTask>): Promise<void> {
  while (!(await tasks.next()).done);
}
