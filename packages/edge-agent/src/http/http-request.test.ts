import { describe, expect, it } from "vitest";
import { exchange, rejection, type Reply } from "./http-request.ts";

const url = "https://cloud.example/v1";
const ask = (response: Response, { maxReplyBytes = 100 } = {}): Promise<Reply> =>
  exchange(
    { url, headers: {}, body: new Uint8Array() },
    { action: "ask", signal: new AbortController().signal, maxReplyBytes, fetch: async () => response },
  );

describe("exchange()", () => {
  it("accepts a response up to its limit and rejects a longer one", async () => {
    expect((await ask(new Response("x".repeat(100)))).body).toHaveLength(100);
    await expect(ask(new Response("x".repeat(101)))).rejects.toMatchObject({
      code: "cloud-garbage",
      retryable: true,
    });
  });

  it("reads the first 2048 bytes of an error response", async () => {
    const reply = await ask(new Response(`no such model: ${"x".repeat(5000)}`, { status: 404 }));
    expect(reply.body).toHaveLength(2048);
    expect(rejection(reply, { action: "ask", url }).message).toMatch(
      /^ask at https:\/\/cloud\.example\/v1: expected success; got 404: no such model: x+$/,
    );
  });
});
