import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { receivedBy, sednaFixtures } from "../../../../../testing/servers/sedna-fixture.ts";
import { sednaAggregation } from "./sedna-aggregation.ts";

// Inputs that crash, block, or fool Sedna's own aggregation server, tested on this server over real sockets.

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });

const start = sednaFixtures();

describe("sednaAggregation() where Sedna's server fails", () => {
  it("C23: closes a new connection whose client_id is in use, with a reason, and keeps the first connection", async () => {
    const { join, url } = await start();
    const first = await join("A");
    const second = await join();
    second.send({ type: "subscribe", client_id: "A" });
    expect(await second.closed).toEqual({ code: 1008, reason: "expected a client_id that is not in use" });
    const b = await join("B");
    expect(await first.nextOf("CLIENT_JOIN")).toEqual({ type: "CLIENT_JOIN", data: "B" });
    expect(first.frames.filter((frame) => frame.includes("CLIENT_JOIN"))).toHaveLength(1);
    first.update("A", { samples: 1, weights: [[0, 0], [0]] });
    b.update("B", { samples: 1, weights: [[2, 2], [2]] });
    expect((await receivedBy(first)).weights).toEqual([[1, 1], [1]]);
    expect(await (await fetch(url)).json()).toEqual({ clients: ["A", "B"] });
  });

  it("C21: closes a round without a straggler, and uses its late update in the round that is active then", async () => {
    const { join, clock, federation, accepted } = await start({ rounds: { numRounds: 3 } });
    const [a, b] = [await join("A"), await join("B")];
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    await eventually(() => accepted()).toBe(1);
    clock.advance(60_000);
    expect([await receivedBy(a), await receivedBy(b)]).toEqual(
      Array.from({ length: 2 }, () => ({ round: 1, total: 1, weights: [[1, 1], [1]], flag: "continue" })),
    );
    b.update("B", { samples: 3, weights: [[5, 5], [5]] });
    await eventually(() => accepted()).toBe(1);
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    expect(await receivedBy(a)).toEqual({ round: 2, total: 4, weights: [[4, 4], [4]], flag: "continue" });
    expect(federation.status().clients.map(({ strikes }) => strikes)).toEqual([0, 0]);
  });

  it("C21: uses an update of an abandoned round in the next round, without a second upload", async () => {
    const { join, clock, federation, accepted } = await start({ rounds: { minFraction: 1, numRounds: 1 } });
    const a = await join("A");
    const gone = await join("B");
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    await eventually(() => accepted()).toBe(1);
    gone.socket.terminate();
    await eventually(() => federation.status().clients.map(({ state }) => state)).toEqual([
      "accepted",
      "dropped",
    ]);
    clock.advance(60_000);
    expect(federation.status().history.map(({ outcome }) => outcome)).toEqual(["abandoned"]);
    const c = await join("C");
    await eventually(() => accepted()).toBe(1);
    c.update("C", { samples: 1, weights: [[3, 3], [3]] });
    expect(await receivedBy(a)).toEqual({ round: 1, total: 2, weights: [[2, 2], [2]], flag: "ok" });
  });

  it("keeps an update that arrives before its round until the round opens, and uses the last of two", async () => {
    const { join } = await start({ rounds: { numRounds: 1 } });
    const a = await join("A");
    a.update("A", { samples: 9, weights: [[9, 9], [9]] });
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    const b = await join("B");
    b.update("B", { samples: 1, weights: [[3, 3], [3]] });
    expect(await receivedBy(a)).toEqual({ round: 1, total: 2, weights: [[2, 2], [2]], flag: "ok" });
  });

  it("responds to the first update of a late client with the model, and accepts its updates from then on", async () => {
    const { join } = await start({ rounds: { participants: 1, numRounds: 3 } });
    const a = await join("A");
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    expect((await receivedBy(a)).round).toBe(1);
    const late = await join("L");
    late.update("L", { samples: 100, weights: [[-99, -99], [-99]] });
    expect(await receivedBy(late)).toEqual({ round: 1, total: 1, weights: [[1, 1], [1]], flag: "continue" });
    late.update("L", { samples: 1, weights: [[2, 2], [2]] });
    expect(await receivedBy(late)).toEqual({ round: 2, total: 1, weights: [[2, 2], [2]], flag: "continue" });
    a.update("A", { samples: 1, weights: [[3, 3], [3]] });
    expect([(await receivedBy(a)).round, (await receivedBy(a)).flag, (await receivedBy(late)).flag]).toEqual([
      2,
      "ok",
      "ok",
    ]);
    const tooLate = await join("T");
    tooLate.update("T", { samples: 1, weights: [[0, 0], [0]] });
    expect(await receivedBy(tooLate)).toEqual({ round: 3, total: 1, weights: [[3, 3], [3]], flag: "ok" });
  });

  it("sends a model once to a late client that receives it while it trains, so that the client does not stay one model behind", async () => {
    const { join } = await start({ rounds: { participants: 1, numRounds: 9 } });
    const a = await join("A");
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    await receivedBy(a);
    const late = await join("L");
    a.update("A", { samples: 1, weights: [[2, 2], [2]] });
    await receivedBy(a);
    late.update("L", { samples: 1, weights: [[-99, -99], [-99]] });
    expect((await receivedBy(late)).round).toBe(2);
    late.update("L", { samples: 1, weights: [[3, 3], [3]] });
    expect(await receivedBy(late)).toMatchObject({ round: 3, weights: [[3, 3], [3]] });
    expect(late.frames.filter((frame) => frame.includes("recv_weight"))).toHaveLength(2);
  });

  it("accepts the first update of a late client if countLateStarters is set, as Sedna does", async () => {
    const { join } = await start({ rounds: { participants: 1 }, options: { countLateStarters: true } });
    const a = await join("A");
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    await receivedBy(a);
    const late = await join("L");
    late.update("L", { samples: 1, weights: [[7, 7], [7]] });
    expect((await receivedBy(late)).weights).toEqual([[7, 7], [7]]);
  });

  it("drops frames of unknown types, or sends them to all members if relay is set", async () => {
    const quiet = await start();
    const [a, b] = [await quiet.join("A"), await quiet.join("B")];
    a.send('{"type":"recv_weight","data":{"weights":[],"exit_flag":"ok"}}');
    a.update("A", { samples: 1, weights: [[1, 1], [1]] });
    b.update("B", { samples: 1, weights: [[1, 1], [1]] });
    expect((await receivedBy(b)).weights).toEqual([[1, 1], [1]]);
    const loud = await start({ options: { relay: true } });
    const [c, d] = [await loud.join("C"), await loud.join("D")];
    c.send('{"type":"message","client":"C","data":"hello","job_name":"fl"}');
    for (const peer of [c, d])
      expect(await peer.nextOf("message")).toEqual({
        type: "message",
        client: "C",
        data: "hello",
        job_name: "fl",
      });
  });

  const update = (data: unknown): string =>
    JSON.stringify({ type: "update_weight", client: "A", data, job_name: "fl" });
  it.each([
    ["C5: no JSON", "{", 1003, "expected JSON"],
    [
      "C22: NaN, as Python writes it",
      '{"type":"update_weight","client":"A","data":{"num_samples":1,"weights":[[NaN,1.0],[2.0]]}}',
      1003,
      "NaN",
    ],
    ["C5: bytes that are not text", Uint8Array.of(0xff, 0xfe), 1003, "expected JSON"],
    ["C22: a list too short", update({ num_samples: 1, weights: [[1], [2]] }), 1008, "shape [2]"],
    ["C22: one layer too many", update({ num_samples: 1, weights: [[1, 1], [2], [3]] }), 1008, "2 layers"],
    [
      "C22: text instead of a number",
      update({ num_samples: 1, weights: [["1", 1], [2]] }),
      1008,
      "finite numbers",
    ],
    [
      "C22: a number outside the range of float32",
      update({ num_samples: 1, weights: [[1e39, 1], [2]] }),
      1008,
      "finite",
    ],
    ["C22: samples below one", update({ num_samples: -5, weights: [[1, 1], [2]] }), 1008, "num_samples"],
    [
      "C22: samples that are not a number",
      update({ num_samples: "many", weights: [[1, 1], [2]] }),
      1008,
      "num_samples",
    ],
    ["a second subscription", '{"type":"subscribe","client_id":"A2"}', 1008, "subscribe once"],
    ["C5: a frame that is too long", "x".repeat(3000), 1009, ""],
  ])(
    "%s closes its sender's connection, and does not change the model by a single bit",
    async (_, frame, code, reason) => {
      const { join, federation } = await start({
        rounds: { numRounds: 1 },
        options: { maxMessageBytes: 2000 },
      });
      const [bad, a, b] = [await join("A"), await join("B"), await join("C")];
      bad.send(frame);
      expect(await bad.closed).toMatchObject({ code, reason: expect.stringContaining(reason) });
      a.update("B", { samples: 1, weights: [[1, 3], [5]] });
      b.update("C", { samples: 1, weights: [[1, 3], [5]] });
      expect((await receivedBy(a)).weights).toEqual([[1, 3], [5]]);
      expect([...federation.model(1)!.parameters]).toEqual([1, 3, 5]);
    },
  );

  it("C22: reduces num_samples of 1e12 to the maximum of a client", async () => {
    const { join } = await start({ rounds: { numRounds: 1 }, maxNumSamples: 3 });
    const [a, b] = [await join("A"), await join("B")];
    a.update("A", { samples: 1e12, weights: [[4, 4], [4]] });
    b.update("B", { samples: 1, weights: [[0, 0], [0]] });
    expect(await receivedBy(a)).toEqual({ round: 1, total: 4, weights: [[3, 3], [3]], flag: "ok" });
  });

  it("requires a subscription first, within the time limit, and limits the number of clients", async () => {
    const { join } = await start({ options: { maxMembers: 1 } });
    const hasty = await join();
    hasty.update("A", { samples: 1, weights: [[1, 1], [1]] });
    expect(await hasty.closed).toEqual({ code: 1008, reason: "expected to subscribe first" });
    await join("A");
    const tooMany = await join();
    tooMany.send({ type: "subscribe", client_id: "B" });
    expect(await tooMany.closed).toEqual({ code: 1008, reason: "expected at most 1 clients" });
    const strict = await start({ options: { subscribeMs: 30 } });
    expect(await (await strict.join()).closed).toEqual({
      code: 1008,
      reason: "expected to subscribe within 30 ms",
    });
  });

  it("C27: does not throw on any frame", async () => {
    const { federation } = await start();
    const [route] = sednaAggregation({ federation, path: "/Other", relay: true }).sockets!;
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("subscribe", "update_weight", "recv_weight", "__proto__", "A"),
    );
    const value = fc.oneof(
      fc.anything(),
      word,
      fc.constantFrom([[1, 2], [3]], 1, 1e308, { num_samples: 1, weights: [[1, 2], [3]] }),
    );
    const frame = fc.oneof(
      fc.string(),
      fc.uint8Array(),
      fc.json(),
      fc
        .record(
          {
            type: word,
            client_id: value,
            client: value,
            job_name: value,
            data: fc.oneof(value, fc.record({ num_samples: value, weights: value })),
          },
          { requiredKeys: [] },
        )
        .map(
          (message) =>
            JSON.stringify(message, (_, part: unknown) => (typeof part === "bigint" ? Number(part) : part)) ??
            "",
        ),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
        const hear: ((data: string | Uint8Array) => void)[] = [];
        const end: ((code: number) => void)[] = [];
        const codes: number[] = [];
        route!.open(
          {
            send() {},
            bufferedAmount: 0,
            close: (code = 1000) => void codes.push(code),
            onMessage: (listener) => void hear.push(listener),
            onClose: (listener) => void end.push(listener),
          },
          new Request("http://cloud/Other") as never,
        );
        for (const one of frames) for (const listener of hear) listener(one);
        for (const listener of end) listener(1006);
        for (const code of codes) expect([1003, 1008]).toContain(code);
      }),
      { numRuns: 500 },
    );
  });
});
