import { describe, expect, it } from "vitest";
import { receivedBy, sednaFixtures } from "../../../../../testing/servers/sedna-fixture.ts";

// Sedna's protocol over real sockets, with a real federation whose clock the tests control.

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });

const start = sednaFixtures();

describe("Sedna's aggregation protocol", () => {
  it("sends the same frames as Sedna's own server", async () => {
    const { join, federation, accepted } = await start();
    const a = await join();
    a.send('{"type":"subscribe","client_id":"A"}');
    expect(await a.next()).toBe('{"type":"subscribe","client_id":"A"}');
    const b = await join();
    b.send('{"type":"subscribe","client_id":"B"}');
    expect([await a.next(), await a.next(), await b.next()]).toEqual([
      '{"type":"CLIENT_JOIN","data":"B"}',
      '{"type":"subscribe","client_id":"B"}',
      '{"type":"subscribe","client_id":"B"}',
    ]);
    for (const [round, flag] of [
      [1, "continue"],
      [2, "ok"],
    ] as const) {
      a.send(
        '{"type":"update_weight","client":"A","data":{"num_samples":1,"weights":[[0.0,1.0],[2.0]]},"job_name":"fl"}',
      );
      await eventually(() => accepted()).toBe(1);
      b.send(
        '{"type":"update_weight","client":"B","data":{"num_samples":3,"weights":[[4.0,5.0],[6.0]]},"job_name":"fl"}',
      );
      const result = `{"type":"recv_weight","client":"B","data":{"total_sample":4,"round_number":${round},"weights":[[3.0,4.0],[5.0]],"exit_flag":"${flag}"},"job_name":"fl","round_number":${round}}`;
      expect([await a.next(), await b.next()]).toEqual([result, result]);
    }
    expect(federation.status().state).toBe("done");
  });

  it("averages two clients like FedAvg, to 1e-6, over several rounds and layers of any shape", async () => {
    const layers = [
      { name: "k", shape: [3, 2, 2] },
      { name: "s", shape: [] },
      { name: "w", shape: [4, 5] },
      { name: "b", shape: [5] },
    ];
    const { join } = await start({ rounds: { numRounds: 5 }, layers });
    const nest = (flat: readonly number[], shape: readonly number[]): unknown =>
      shape.length === 0
        ? flat[0]
        : Array.from({ length: shape[0]! }, (_, i) =>
            nest(
              flat.slice((i * flat.length) / shape[0]!, ((i + 1) * flat.length) / shape[0]!),
              shape.slice(1),
            ),
          );
    const flatten = (value: unknown): number[] =>
      Array.isArray(value) ? value.flatMap(flatten) : [value as number];
    const sizes = [12, 1, 20, 5];
    const clients = [await join("A"), await join("B")];
    for (let round = 1; round <= 5; round++) {
      const trained = clients.map((_, c) =>
        sizes.map((size, l) =>
          Array.from({ length: size }, (_, i) => Math.sin(round * 100 + c * 37 + l * 11 + i) * 3),
        ),
      );
      const samples = [30 * round, 11];
      clients.forEach((peer, c) =>
        peer.update(`c${c}`, {
          samples: samples[c]!,
          weights: layers.map(({ shape }, l) => nest(trained[c]![l]!, shape)),
        }),
      );
      for (const peer of clients) {
        const { weights, total } = await receivedBy(peer);
        expect(total).toBe(samples[0]! + samples[1]!);
        const got = flatten(weights);
        const expected = sizes.flatMap((size, l) =>
          Array.from(
            { length: size },
            (_, i) => (trained[0]![l]![i]! * samples[0]! + trained[1]![l]![i]! * samples[1]!) / total,
          ),
        );
        expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6);
      }
    }
  });

  it("lists its clients, and exposes no weights", async () => {
    const { join, url, accepted } = await start();
    const a = await join("A");
    await join("B");
    a.update("A", { samples: 1, weights: [[12345, 1], [2]] });
    await eventually(() => accepted()).toBe(1);
    const response = await fetch(url);
    expect([response.status, await response.json()]).toEqual([200, { clients: ["A", "B"] }]);
    expect(await fetch(`${url}?client_id=A`).then((one) => one.text())).not.toContain("12345");
    a.socket.close();
    await eventually(async () => (await fetch(url)).json()).toEqual({ clients: ["B"] });
  });

  it("generates an id for a client without one, and does not send it", async () => {
    const { join, url } = await start();
    const peer = await join();
    peer.send('{"type":"subscribe"}');
    expect(await peer.next()).toBe('{"type":"subscribe"}');
    expect(((await (await fetch(url)).json()) as { clients: string[] }).clients).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ]);
  });

  it("accepts JSON in binary frames", async () => {
    const { join } = await start({ rounds: { participants: 1, numRounds: 1 } });
    const peer = await join();
    peer.send(Buffer.from('{"type":"subscribe","client_id":"A"}'));
    await peer.nextOf("subscribe");
    peer.send(
      Buffer.from(
        '{"type":"update_weight","client":"A","data":{"num_samples":2,"weights":[[1,2],[3]]},"job_name":null}',
      ),
    );
    expect(await receivedBy(peer)).toEqual({ round: 1, total: 2, weights: [[1, 2], [3]], flag: "ok" });
  });

  it("transposes matrices for clients with the layout of Keras", async () => {
    const { join, federation } = await start({
      rounds: { participants: 1, numRounds: 1 },
      layers: [
        { name: "w", shape: [2, 3] },
        { name: "b", shape: [2] },
      ],
      options: { transposed: true },
    });
    const peer = await join("A");
    const weights = [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [7, 8],
    ];
    peer.update("A", { samples: 1, weights });
    expect((await receivedBy(peer)).weights).toEqual(weights);
    expect([...federation.model(1)!.parameters]).toEqual([1, 3, 5, 2, 4, 6, 7, 8]);
  });
});
