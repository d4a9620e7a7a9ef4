import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, describe, expect, it } from "vitest";
import { readChunks } from "./read-chunks.ts";

// A server that sends a chunk and then stalls.
const server = createServer((_, response) => void response.write("a piece"));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const url = async (): Promise<string> => {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
};
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

describe("readChunks()", () => {
  it("yields the body of a response, and nothing for a response without a body", async () => {
    const read = async (response: Response): Promise<string[]> => {
      const pieces: string[] = [];
      for await (const piece of readChunks(response, new AbortController().signal))
        pieces.push(new TextDecoder().decode(piece));
      return pieces;
    };
    expect((await read(new Response("abc"))).join("")).toBe("abc");
    expect(await read(new Response(null))).toEqual([]);
  });

  it("stops on abort, even after the engine has collected fetch's own signal", async () => {
    const stop = new AbortController();
    const reading = (async () => {
      const signal = AbortSignal.any([stop.signal]);
      const response = await fetch(await url(), { signal });
      for await (const _ of readChunks(response, signal)) collectGarbage();
    })();
    setTimeout(() => {
      collectGarbage();
      stop.abort(new Error("enough"));
    }, 50);
    await expect(reading).rejects.toThrow("enough");
  });

  it("stops reading when its consumer stops", async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Uint8Array.of(1)),
      cancel: () => void (cancelled = true),
    });
    for await (const _ of readChunks(new Response(endless), new AbortController().signal)) break;
    expect(cancelled).toBe(true);
  });
});
