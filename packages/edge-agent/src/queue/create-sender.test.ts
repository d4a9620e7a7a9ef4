import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { readSampleUpload } from "@sedna-js/core/wire";
import { afterEach, describe, expect, it } from "vitest";
import { arrayQueue, type ArrayQueue } from "../../../../testing/fakes/array-queue.ts";
import { answer, drip, flood, listenLocally } from "../../../../testing/servers/receiver.ts";
import { createSender } from "./create-sender.ts";
import { type Sender, type SenderEvent, type SenderOptions } from "./sender.ts";

// Every way in which a receiver can fail, on real sockets.

const open: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});
const listen = async (server: Parameters<typeof listenLocally>[0]): Promise<string> => {
  const { url, close } = await listenLocally(server);
  open.push(close);
  return url;
};
/**
 * A receiver that handles the n-th request with the n-th listener, and all later requests with the last one.
 */
const receiver = async (
  ...listeners: RequestListener[]
): Promise<{ url: string; calls: { ids: string[] } }> => {
  const calls = { ids: [] as string[] };
  const url = await listen(
    createServer((request, response) => {
      calls.ids.push(String(request.headers["idempotency-key"]));
      listeners[Math.min(calls.ids.length, listeners.length) - 1]!(request, response);
    }),
  );
  return { url, calls };
};
const sending = (
  queue: Pick<ArrayQueue, "next" | "settle" | "release">,
  options: Partial<SenderOptions> & { url: string },
): { sender: Sender; events: SenderEvent[] } => {
  const events: SenderEvent[] = [];
  const sender = createSender({
    queue,
    baseMs: 5,
    capMs: 40,
    maxPerSecond: 1000,
    deadlineMs: 500,
    onEvent: (event) => events.push(event),
    ...options,
  });
  open.push(() => sender.stop());
  return { sender, events };
};
const some = (count: number): ArrayQueue => {
  const queue = arrayQueue();
  for (let i = 0; i < count; i++) queue.add();
  return queue;
};

describe("createSender()", () => {
  it("posts each sample under its id, stamped, with the token, and settles it", async () => {
    const seen: unknown[] = [];
    const { url } = await receiver((request, response) => {
      const chunks: Buffer[] = [];
      request
        .on("data", (chunk: Buffer) => chunks.push(chunk))
        .on("end", () => {
          const { head, payload } = readSampleUpload(Buffer.concat(chunks));
          seen.push([
            request.method,
            request.url,
            request.headers["idempotency-key"],
            request.headers["content-type"],
            request.headers["content-digest"],
            request.headers.authorization,
            request.headers["x-site"],
            head.id,
            head.createdAt,
            [...payload],
          ]);
          response.writeHead(201).end('{"stored":true}');
        });
    });
    const queue = some(1);
    const { sender } = sending(queue, { url: `${url}/`, token: () => "t0k", headers: { "x-site": "gate" } });
    await sender.flush();
    expect(seen).toEqual([
      [
        "POST",
        "/v1/samples",
        "cam/1",
        "application/vnd.sedna.sample",
        expect.stringMatching(/^sha-256=:[\w+/]{43}=:$/),
        "Bearer t0k",
        "gate",
        "cam/1",
        1_700_000_000_001,
        [1, 2, 3],
      ],
    ]);
    expect([...queue.settled]).toEqual([["cam/1", "sent"]]);
  });

  it("sends the items of a device with any name", async () => {
    const { url, calls } = await receiver(answer(201));
    const queue = arrayQueue({ device: "Tür 1 \ud800" });
    queue.add();
    await sending(queue, { url }).sender.flush();
    expect([calls.ids, [...queue.settled.values()]]).toEqual([["T%C3%BCr%201%20%EF%BF%BD%2F1"], ["sent"]]);
  });

  it("reports items that the receiver already had", async () => {
    const { url } = await receiver(answer(200, { stored: true, duplicate: true }));
    const queue = some(1);
    await sending(queue, { url }).sender.flush();
    expect([...queue.settled]).toEqual([["cam/1", "duplicate"]]);
  });

  it("starts when an item is queued, and when the network is back", async () => {
    const { url } = await receiver(answer(201));
    const queue = arrayQueue();
    const network = new EventTarget();
    const { sender } = sending(queue, { url, network });
    await sender.flush();
    queue.add();
    sender.wake();
    await expect.poll(() => queue.settled.size).toBe(1);
    queue.add();
    network.dispatchEvent(new Event("online"));
    await expect.poll(() => queue.settled.size).toBe(2);
  });

  it("sends other kinds to the URL of the route", async () => {
    const urls: string[] = [];
    const { url } = await receiver(
      (request, response) => (urls.push(request.url!), answer(204, "")(request, response)),
    );
    const queue = arrayQueue();
    queue.add(new TextEncoder().encode("{}"), "report");
    const { sender } = sending(queue, {
      url,
      route: ({ kind }, body) => ({
        url: `${url}/${kind}`,
        body: body.slice(),
        contentType: "application/json",
        read: () => "sent",
      }),
    });
    await sender.flush();
    expect([urls, [...queue.settled.values()]]).toEqual([["/report"], ["sent"]]);
  });

  it("keeps to its limit of concurrent requests, and to one while sending fails", async () => {
    const now = { count: 0, most: 0 };
    const slow =
      (status: number): RequestListener =>
      (request, response) => {
        now.most = Math.max(now.most, ++now.count);
        setTimeout(() => (now.count--, answer(status)(request, response)), 20);
      };
    const first = await receiver(slow(201));
    await sending(some(9), { url: first.url, concurrency: 3 }).sender.flush();
    expect(now.most).toBe(3);
    now.most = 0;
    const { url, calls } = await receiver(slow(503));
    sending(some(9), { url, concurrency: 3 });
    await expect.poll(() => calls.ids.length).toBeGreaterThan(6);
    now.most = 0;
    const before = calls.ids.length;
    await expect.poll(() => calls.ids.length).toBeGreaterThan(before + 2);
    expect(now.most).toBe(1);
  });

  it("C6: drains in order within the rate limit", async () => {
    const { url, calls } = await receiver(answer(201));
    const started = performance.now();
    await sending(some(10), { url, concurrency: 1, maxPerSecond: 50 }).sender.flush();
    expect(performance.now() - started).toBeGreaterThanOrEqual(175);
    expect(calls.ids).toEqual(Array.from({ length: 10 }, (_, i) => `cam/${i + 1}`));
  });

  it.each([400, 409, 413, 422])(
    "removes an item that is permanently rejected with %i, and reports the reason",
    async (status) => {
      const { url, calls } = await receiver(answer(status, { error: "no" }), answer(201));
      const queue = some(2);
      const { sender, events } = sending(queue, { url, concurrency: 1 });
      await sender.flush();
      expect([calls.ids, [...queue.settled.values()]]).toEqual([
        ["cam/1", "cam/2"],
        ["rejected", "sent"],
      ]);
      expect(events).toEqual([
        {
          type: "upload-rejected",
          id: "cam/1",
          kind: "sample",
          message: expect.stringContaining(`got ${status}: {"error":"no"}`),
        },
      ]);
    },
  );

  it.each([
    ["of a proxy", "<html>too large</html>"],
    ["of an HTTP parser", ""],
    ["of a gateway", '{"message":"Request Too Long"}'],
  ])(
    "keeps an item that is rejected with the body %s: it does not come from the receiver",
    async (_, page) => {
      const { url } = await receiver(answer(413, page), answer(201));
      const queue = some(1);
      await sending(queue, { url }).sender.flush();
      expect([...queue.settled.values()]).toEqual(["sent"]);
    },
  );

  it("removes an item that is not a valid sample", async () => {
    const { url } = await receiver(answer(201));
    const queue = arrayQueue();
    queue.add(Uint8Array.of(1));
    queue.add();
    const { sender, events } = sending(queue, { url });
    await sender.flush();
    expect([...queue.settled].toSorted()).toEqual([
      ["cam/1", "rejected"],
      ["cam/2", "sent"],
    ]);
    const message = expect.stringContaining("expected 4 bytes; got 1") as string;
    expect(events).toMatchObject([{ type: "upload-rejected", message }]);
  });

  it.each([401, 403])(
    "pauses at %i for the maximum delay, and resumes at a flush with a new token",
    async (status) => {
      const { url, calls } = await receiver((request, response) =>
        answer(request.headers.authorization === "Bearer good" ? 201 : status)(request, response),
      );
      const [queue, state] = [some(1), { token: "bad" }];
      const { sender, events } = sending(queue, { url, token: () => state.token, capMs: 60_000 });
      await expect.poll(() => events.length).toBe(1);
      expect(events[0]).toMatchObject({
        type: "upload-paused",
        message: expect.stringContaining("expected a token that the receiver accepts"),
      });
      expect((events[0] as { retryInMs: number }).retryInMs).toBeGreaterThanOrEqual(60_000);
      state.token = "good";
      await sender.flush();
      expect([calls.ids.length, [...queue.settled.values()]]).toEqual([2, ["sent"]]);
    },
  );

  it("keeps an item if the URL is wrong, and does not follow a redirect", async () => {
    const elsewhere = await receiver(answer(201));
    const { url, calls } = await receiver(
      answer(404, { error: "no such route" }),
      answer(307, "", { location: `${elsewhere.url}/v1/samples` }),
      answer(201),
    );
    const queue = some(1);
    const { sender, events } = sending(queue, { url });
    await sender.flush();
    expect([calls.ids.length, elsewhere.calls.ids.length, [...queue.settled.values()]]).toEqual([
      3,
      0,
      ["sent"],
    ]);
    expect(events.map((event) => "code" in event && event.code)).toEqual([
      "cloud-refused",
      "cloud-unreachable",
    ]);
  });

  it.each<[string, RequestListener, string]>([
    ["C1: 500", answer(500, "oops"), "cloud-refused"],
    ["C1: 429", answer(429, "later"), "cloud-busy"],
    ["C1: 503", answer(503, "later"), "cloud-busy"],
    ["C24: 507", answer(507, "full"), "cloud-refused"],
    ["C2: a reply that never arrives", () => {}, "cloud-timeout"],
    ["C2: a reply that trickles", drip, "cloud-timeout"],
    [
      "C4: a reply that is cut off",
      (_, response) => (
        response.writeHead(201, { "content-length": "1000" }).write("{"),
        void response.socket!.destroy()
      ),
      "cloud-unreachable",
    ],
    ["C4: an HTML page with 200", answer(200, "<html>log in</html>"), "wire-format"],
    ["C4: JSON of another shape", answer(200, { ok: true }), "wire-format"],
    ["C4: null", answer(200, null), "wire-format"],
    ["C4: an endless reply", flood, "cloud-garbage"],
  ])(
    "keeps an item that meets %s, and sends it when the receiver has recovered",
    async (_, listener, code) => {
      const { url, calls } = await receiver(listener, answer(201));
      const queue = some(1);
      const { sender, events } = sending(queue, { url, deadlineMs: 150 });
      await sender.flush();
      expect([calls.ids, [...queue.settled.values()]]).toEqual([["cam/1", "cam/1"], ["sent"]]);
      expect(events).toMatchObject([{ type: "upload-failed", code }]);
    },
  );

  it("C1: retries with increasing delays and never gives up if nothing listens", async () => {
    const url = await listen(createSocketServer());
    await open.pop()!();
    const queue = some(3);
    const waits: number[] = [];
    sending(queue, {
      url,
      concurrency: 1,
      random: () => 0.99,
      onEvent: (event) => "retryInMs" in event && waits.push(Math.round(event.retryInMs)),
    });
    await expect.poll(() => waits.length).toBeGreaterThan(6);
    expect(waits.slice(0, 6)).toEqual([5, 10, 20, 40, 40, 40]);
    expect(queue.waiting).toHaveLength(3);
  });

  it("C3: waits no longer than the deadline for a receiver stopped by SIGSTOP, and sends the item when the receiver resumes", async () => {
    const script = `const s = require("node:http").createServer((q, r) => { q.resume(); q.on("end", () => r.writeHead(201).end('{"stored":true}')); }); s.listen(0, "127.0.0.1", () => console.log(s.address().port));`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    open.push(async () => void (child.kill("SIGKILL"), await once(child, "exit")));
    const [port] = (await once(child.stdout, "data")) as [Buffer];
    const queue = arrayQueue();
    const { sender, events } = sending(queue, { url: `http://127.0.0.1:${Number(port)}`, deadlineMs: 200 });
    queue.add();
    await sender.flush();
    child.kill("SIGSTOP");
    queue.add();
    const flushed = sender.flush();
    await expect.poll(() => events.length).toBeGreaterThan(1);
    expect(events[0]).toMatchObject({ code: "cloud-timeout" });
    child.kill("SIGCONT");
    await flushed;
    expect(queue.settled.get("cam/2")).toBe("sent");
  });

  it.each([
    ["seconds", () => "1"],
    ["a date", () => new Date(Date.now() + 1900).toUTCString()],
  ])("obeys Retry-After in %s", async (_, retryAfter) => {
    const { url, calls } = await receiver(
      (request, response) => answer(503, "", { "retry-after": retryAfter() })(request, response),
      answer(201),
    );
    const started = performance.now();
    const queue = some(1);
    sending(queue, { url });
    await expect.poll(() => queue.settled.size, { timeout: 5000 }).toBe(1);
    expect(performance.now() - started).toBeGreaterThanOrEqual(850);
    expect(calls.ids.length).toBe(2);
  });

  it("C16: does not delay other items because of one that always fails", async () => {
    const { url } = await receiver((request, response) =>
      answer(request.headers["idempotency-key"] === "cam/1" ? 500 : 201)(request, response),
    );
    const queue = some(5);
    sending(queue, { url, concurrency: 1, capMs: 1000 });
    await expect.poll(() => queue.settled.size, { timeout: 5000 }).toBe(4);
    expect(queue.waiting).toEqual(["cam/1"]);
  });

  it("resends an item that the queue could not remove, and survives a queue that fails", async () => {
    const { url, calls } = await receiver(answer(201), answer(200, { stored: true, duplicate: true }));
    const queue = some(1);
    const calledFirst = new Set<string>();
    const failsFirst = async (what: string): Promise<void> => {
      if (!calledFirst.has(what)) throw (calledFirst.add(what), new Error("the disk"));
    };
    const shaky = {
      ...queue,
      settle: (id: string, outcome: "sent" | "duplicate" | "rejected") =>
        failsFirst("settle").then(() => queue.settle(id, outcome)),
      next: () => failsFirst("next").then(() => queue.next()),
    };
    const { sender, events } = sending(shaky, { url });
    await sender.flush();
    expect([calls.ids, [...queue.settled.values()]]).toEqual([["cam/1", "cam/1"], ["duplicate"]]);
    expect(events.map((event) => "code" in event && event.code)).toEqual([
      "storage-failed",
      "storage-failed",
    ]);
  });

  it("lets an active request finish within the grace period when it stops", async () => {
    const { url, calls } = await receiver(
      (request, response) => void setTimeout(() => answer(201)(request, response), 100),
    );
    const queue = some(3);
    const { sender } = sending(queue, { url, concurrency: 1 });
    await expect.poll(() => calls.ids.length).toBe(1);
    await Promise.all([sender.stop({ graceMs: 2000 }), sender.stop()]);
    expect([[...queue.settled.keys()], queue.waiting]).toEqual([["cam/1"], ["cam/2", "cam/3"]]);
    await expect(sender.flush()).rejects.toMatchObject({ code: "disposed" });
  });

  it("aborts a hanging request when it stops, and releases the item for the next sender", async () => {
    const { url, calls } = await receiver(() => {}, answer(201));
    const queue = some(1);
    const { sender, events } = sending(queue, { url, deadlineMs: 60_000 });
    await expect.poll(() => calls.ids).toHaveLength(1);
    const flushing = expect(sender.flush()).rejects.toMatchObject({ code: "disposed" });
    await Promise.all([sender.stop(), flushing]);
    expect([queue.waiting, events]).toEqual([["cam/1"], []]);
    await sending(queue, { url }).sender.flush();
    expect(queue.settled.get("cam/1")).toBe("sent");
  });

  it("rejects a flush that its caller aborts, and continues to send", async () => {
    const { url } = await receiver(answer(503), answer(503), answer(201));
    const [queue, controller] = [some(1), new AbortController()];
    const { sender } = sending(queue, { url, baseMs: 30, capMs: 30 });
    const flushing = sender.flush({ signal: controller.signal });
    controller.abort(new Error("left"));
    await expect(flushing).rejects.toThrow("left");
    await expect.poll(() => queue.settled.size).toBe(1);
  });

  it("survives a listener that throws", async () => {
    const { url } = await receiver(answer(500), answer(201));
    await sending(some(1), {
      url,
      onEvent: () => {
        throw new Error("a bug of the app");
      },
    }).sender.flush();
  });
});
