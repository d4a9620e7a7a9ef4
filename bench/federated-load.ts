import { Agent, request, type IncomingMessage } from "node:http";
import { UPDATE_TYPE, writeUpdateMessage, type FederationTask } from "@sedna-js/core";

// A child of the benchmark `federated-round`: many clients in one process, with one prepared update for all. They ask for a place
// before they send, and come back when they are told to, as any client may.

/** What the clients do. */
export type LoadTask =
  | { readonly kind: "join"; readonly url: string; readonly clients: number; readonly parameters: number }
  /** All send their update of a round; it is over when its model is there. */
  | { readonly kind: "round"; readonly round: number }
  /** As many updates, to be dropped, so many at a time. */
  | { readonly kind: "drop"; readonly updates: number; readonly atOnce: number };

/** What it took. */
export interface LoadUse {
  readonly ms: number;
  readonly cpuMs: number;
  /** Times that a client was told to come back later. */
  readonly sentAway: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4096 });

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Asks, again where a server had closed the idle connection that was used for it. */
async function ask(url: string, options: Parameters<typeof askOnce>[1]): Promise<Reply> {
  for (;;) {
    try {
      return await askOnce(url, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    }
  }
}

function askOnce(url: string, { method, headers = {}, body }: { readonly method: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: Uint8Array | string }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = typeof body === "string" ? Buffer.byteLength(body) : (body?.length ?? 0);
    const outgoing = request(url, { method, agent, headers: { ...headers, "content-length": length } }, (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      reply.on("end", () => resolve({ status: reply.statusCode!, headers: reply.headers, text }));
      reply.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs work on all, so many at a time. */
async function spread(count: number, { atOnce, work }: { readonly atOnce: number; readonly work: (index: number) => Promise<void> }): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(atOnce, count) }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

const state = { base: "", clients: 0, parameters: 0, sentAway: 0 };
const as = (client: number): Record<string, string> => ({ authorization: `Bearer client-${client}` });

const messageOf = (round: number): Uint8Array => {
  const values = Float32Array.from({ length: state.parameters }, (_, i) => Math.sin(i + round) / 1000);
  return writeUpdateMessage({ head: { round, modelVersion: round - 1, encoding: "f32", length: values.length, numSamples: 10 }, payload: new Uint8Array(values.buffer) });
};

async function send(client: number, { round, message }: { readonly round: number; readonly message: Uint8Array }): Promise<void> {
  const url = `${state.base}/v1/federations/round/rounds/${round}/update`;
  for (;;) {
    const place = await ask(url, { method: "HEAD", headers: as(client) });
    const reply = place.status === 200 ? await ask(url, { method: "PUT", headers: { ...as(client), "content-type": UPDATE_TYPE }, body: message }) : place;
    if (reply.status === 200) return;
    if (reply.status !== 503) throw new Error(`client ${client}: expected its update to be taken; got ${reply.status} ${reply.text}`);
    state.sentAway++;
    // Seconds are coarse: the share of one that is added keeps those of one second apart.
    await pause(1000 * (Number(reply.headers["retry-after"] ?? 1) - 1 + Math.random()));
  }
}

async function run(task: LoadTask): Promise<void> {
  switch (task.kind) {
    case "join":
      Object.assign(state, { base: task.url, clients: task.clients, parameters: task.parameters });
      await spread(task.clients, {
        atOnce: 32,
        async work(client) {
          const { status, text } = await ask(`${task.url}/v1/federations/round/sessions`, { method: "POST", body: JSON.stringify({ protocol: 1, device: `client-${client}`, numSamples: 10 }) });
          if (status !== 201) throw new Error(`client ${client}: expected a session; got ${status} ${text}`);
        },
      });
      return;
    case "round": {
      const message = messageOf(task.round);
      await Promise.all(Array.from({ length: state.clients }, (_, client) => send(client, { round: task.round, message })));
      for (;;) {
        const { text } = await ask(`${state.base}/v1/federations/round/task`, { method: "GET", headers: as(0) });
        if ((JSON.parse(text) as FederationTask).modelVersion >= task.round) return;
        await pause(2);
      }
    }
    case "drop": {
      const message = messageOf(1);
      await spread(task.updates, { atOnce: task.atOnce, work: async () => void (await ask(`${state.base}/drop`, { method: "PUT", headers: { "content-type": UPDATE_TYPE }, body: message })) });
      return;
    }
    default:
      task satisfies never;
  }
}

process.on("message", async (task: LoadTask | "end") => {
  if (task === "end") {
    agent.destroy();
    process.disconnect();
    return;
  }
  const cpu = process.cpuUsage();
  const started = performance.now();
  state.sentAway = 0;
  await run(task);
  const { user, system } = process.cpuUsage(cpu);
  process.send!({ ms: performance.now() - started, cpuMs: (user + system) / 1000, sentAway: state.sentAway } satisfies LoadUse);
});
