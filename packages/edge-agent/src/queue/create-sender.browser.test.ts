import { expect, it } from "vitest";
import { arrayQueue, unstampedSample } from "../../../../testing/fakes/array-queue.ts";
import { createSender } from "./create-sender.ts";

// Uses the page's own events and fetch. The server is the one that served the page, and does not accept
// samples.

it("keeps an item if an unrelated server responds, and retries when the browser comes online", async () => {
  const queue = arrayQueue();
  const id = queue.add(unstampedSample());
  const seen: string[] = [];
  let isThere = false;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (isThere) return new Response('{"stored":true}', { status: 201 });
    return globalThis.fetch(input, init);
  };
  const random = (): number => (isThere ? 0 : 0.999);
  const sender = createSender({
    queue,
    url: location.origin,
    fetch,
    random,
    baseMs: 600_000,
    capMs: 600_000,
    onEvent: (event) => seen.push("code" in event ? event.code : event.type),
  });
  await expect.poll(() => seen.length).toBe(1);
  expect(queue.waiting).toEqual([id]);
  isThere = true;
  dispatchEvent(new Event("online"));
  await expect.poll(() => queue.settled.get(id)).toBe("sent");
  await sender.stop();
});
