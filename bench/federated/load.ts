import { Agent, request, type IncomingMessage } from "node:http";
import { UPDATE_TYPE, writeUpdateMessage, type FederationTask } from "@sedna-js/core/wire";
import { WebSocket } from "ws";

// A child process of the benchmark `federated-round`: many clients in one process that share one prepared
// update. Each client requests a slot before it sends and retries after the requested delay, as any client
// may.

/** A task for the clients. */
export type LoadTask =
  | {
      readonly kind: "join";
      readonly url: string;
      readonly jsonUrl: string;
      readonly clients: number;
      readonly parameters: number;
      readonly sockets: boolean;
    }
  /** All clients send their update of a round, which ends when its model is published. */
  | { readonly kind: "round"; readonly round: number }
  /** The same, and every client fetches the new model. */
  | { readonly kind: "exchange"; readonly round: number }
  /** Every client sends its weights as JSON over its WebSocket and reads the returned ones. */
  | { readonly kind: "json" }
  /** Sends as many updates to be dropped, at most `atOnce` concurrently. */
  | { readonly kind: "drop"; readonly updates: number; readonly atOnce: number };

/** The resources that a task used. */
export interface LoadUse {
  readonly ms: number;
  readonly cpuMs: number;
  /** Number of responses that told a client to retry later. */
  readonly sentAway: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4096 });

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Sends a request, and retries if the server has closed the idle connection that was used. */
async function ask(url: string, options: Parameters<typeof askOnce>[1]): Promise<Reply> {
  for (;;) {
    try {
      return await askOnce(url, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    }
  }
}

function askOnce(
  url: string,
  {
    method,
    headers = {},
    body,
  }: {
    readonly method: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Uint8Array | string;
  },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = typeof body === "string" ? Buffer.byteLength(body) : (body?.length ?? 0);
    const outgoing = request(
      url,
      { method, agent, headers: { ...headers, "content-length": length } },
      (reply) => {
        let text = "";
        reply.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        reply.on("end", () => resolve({ status: reply.statusCode!, headers: reply.headers, text }));
        reply.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `work` for each index, at most `atOnce` concurrently. */
async function spread(
  count: number,
  { atOnce, work }: { readonly atOnce: number; readonly work: (index: number) => Promise<void> },
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(atOnce, count) }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

const state = { base: "", jsonUrl: "", clients: 0, parameters: 0, sentAway: 0, sockets: [] as WebSocket[] };
const as = (client: number): Record<string, string> => ({ authorization: `Bearer client-${client}` });

const messageOf = (round: number): Uint8Array => {
  const values = Float32Array.from({ length: state.parameters }, (_, i) => Math.sin(i + round) / 1000);
  return writeUpdateMessage({
    head: { round, modelVersion: round - 1, encoding: "f32", length: values.length, numSamples: 10 },
    payload: new Uint8Array(values.buffer),
  });
};

async function send(
  client: number,
  { round, message }: { readonly round: number; readonly message: Uint8Array },
): Promise<void> {
  const url = `${state.base}/v1/federations/round/rounds/${round}/update`;
  for (;;) {
    const place = await ask(url, { method: "HEAD", headers: as(client) });
    const reply =
      place.status === 200
        ? await ask(url, {
            method: "PUT",
            headers: { ...as(client), "content-type": UPDATE_TYPE },
            body: message,
          })
        : place;
    if (reply.status === 200) return;
    if (reply.status !== 503)
      throw new Error(
        `client ${client}: expected its update to be accepted; got ${reply.status} ${reply.text}`,
      );
    state.sentAway++;
    // Retry-After is in whole seconds. The random fraction spreads the clients of one second.
    await pause(1000 * (Number(reply.headers["retry-after"] ?? 1) - 1 + Math.random()));
  }
}

async function sendAll(round: number): Promise<void> {
  const message = messageOf(round);
  await Promise.all(Array.from({ length: state.clients }, (_, client) => send(client, { round, message })));
  for (;;) {
    const { text } = await ask(`${state.base}/v1/federations/round/task`, { method: "GET", headers: as(0) });
    if ((JSON.parse(text) as FederationTask).modelVersion >= round) return;
    await pause(2);
  }
}

function fetchModel(client: number, version: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${state.base}/v1/federations/round/models/${version}`,
      { agent, headers: as(client) },
      (reply) => {
        const bytes = new Uint8Array(4 * state.parameters);
        let at = 0;
        reply.on("data", (piece: Buffer) => {
          bytes.set(piece, at);
          at += piece.length;
        });
        reply.on("end", () =>
          at === bytes.length
            ? resolve()
            : reject(new Error(`expected a model of ${bytes.length} bytes; got ${at}`)),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** Opens the sockets, which stay open like Sedna's: opening them is not measured. */
async function createSocketTracker(): Promise<void> {
  await spread(state.clients, {
    atOnce: 32,
    async work() {
      const socket = new WebSocket(state.jsonUrl, { maxPayload: 2 ** 28 });
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      state.sockets.push(socket);
    },
  });
}

async function exchangeJson(): Promise<void> {
  const weights = [Array.from({ length: state.parameters }, (_, i) => Math.fround(Math.sin(i) / 1000))];
  const text = JSON.stringify({
    type: "update_weight",
    client_id: "client",
    data: { num_samples: 10, weights },
  });
  await Promise.all(
    state.sockets.map(async (socket) => {
      const answered = new Promise<Buffer>((resolve) =>
        socket.once("message", (data: Buffer) => resolve(data)),
      );
      socket.send(text);
      const { data } = JSON.parse((await answered).toString()) as {
        readonly data: { readonly weights: readonly (readonly number[])[] };
      };
      if (data.weights[0]!.length !== state.parameters)
        throw new Error("expected weights of the same length");
    }),
  );
}

async function run(task: LoadTask): Promise<void> {
  switch (task.kind) {
    case "join":
      Object.assign(state, {
        base: task.url,
        jsonUrl: task.jsonUrl,
        clients: task.clients,
        parameters: task.parameters,
      });
      await spread(task.clients, {
        atOnce: 32,
        async work(client) {
          const { status, text } = await ask(`${task.url}/v1/federations/round/sessions`, {
            method: "POST",
            body: JSON.stringify({ protocol: 1, device: `client-${client}`, numSamples: 10 }),
          });
          if (status !== 201) throw new Error(`client ${client}: expected a session; got ${status} ${text}`);
        },
      });
      if (task.sockets) await createSocketTracker();
      return;
    case "round":
      return sendAll(task.round);
    case "exchange":
      await sendAll(task.round);
      await spread(state.clients, { atOnce: 32, work: (client) => fetchModel(client, task.round) });
      return;
    case "json":
      return exchangeJson();
    case "drop": {
      const message = messageOf(1);
      await spread(task.updates, {
        atOnce: task.atOnce,
        work: async () =>
          void (await ask(`${state.base}/drop`, {
            method: "PUT",
            headers: { "content-type": UPDATE_TYPE },
            body: message,
          })),
      });
      return;
    }
    default:
      task satisfies never;
  }
}

process.on("disconnect", () => process.exit());
process.on("message", async (task: LoadTask | "end") => {
  if (task === "end") {
    for (const socket of state.sockets) socket.terminate();
    agent.destroy();
    process.disconnect();
    return;
  }
  const cpu = process.cpuUsage();
  const started = performance.now();
  state.sentAway = 0;
  await run(task);
  const { user, system } = process.cpuUsage(cpu);
  process.send!({
    ms: performance.now() - started,
    cpuMs: (user + system) / 1000,
    sentAway: state.sentAway,
  } satisfies LoadUse);
});
