import type { Detections, Estimator, Frame } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { expect, it } from "vitest";
import { createEdgeAgent } from "./create-edge-agent.ts";

const estimator: Estimator<Frame, Detections> = {
  load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "own" }),
  predict: async () => [[1, 1, 5, 5, 0.9, 0]],
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

it("stays leader until its queue is closed: the next leader opens the same queue", async () => {
  const name = `lead-${Math.round(performance.timeOrigin)}`;
  const order: string[] = [];
  const requests: (() => void)[] = [];
  const agentOf = (tab: string, count: number) => {
    const agent = createEdgeAgent<Detections>({
      name,
      source: async function* () {
        await expect.poll(() => agent.status().queue !== null || count === 0).toBe(true);
        for (let i = 0; i < count; i++)
          yield pixelsFrame({ width: 8, height: 8, data: new Uint8ClampedArray(256) }, { timestamp: i });
      },
      model: { estimator },
      hardExampleMining: () => true,
      samples: { url: "/" },
      fetch: async () => {
        await new Promise<void>((resolve) => requests.push(resolve));
        return Response.json({ stored: true }, { status: 201 });
      },
    });
    agent.on(({ type }) => ["agent-leads", "item-sent"].includes(type) && order.push(`${tab} ${type}`));
    return agent;
  };
  const first = agentOf("first", 1);
  for await (const _ of first.run());
  await expect.poll(() => requests.length).toBe(1);
  const second = agentOf("second", 0);
  for await (const _ of second.run());
  const stopping = first.dispose();
  await new Promise((resolve) => setTimeout(resolve, 100));
  requests[0]!();
  await stopping;
  await expect.poll(() => second.status().leads).toBe(true);
  await second.dispose();
  expect(order).toEqual(["first agent-leads", "first item-sent", "second agent-leads"]);
});
