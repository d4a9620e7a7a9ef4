import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoadTask, LoadUse } from "./load.ts";
import type { ServerTask, ServerUsage } from "./server.ts";
import { median, type Figure } from "../result.ts";

const NAME = "federated-round";
/** Rounds of warm-up, in which the engine compiles the code of the measured ones. */
const WARM_UP = 2;

/** A child process that replies to each message. */
interface Child<Task, Reply> {
  ask(task: Task): Promise<Reply>;
  end(): Promise<void>;
}

async function start<Task, Reply>(
  file: string,
  argument?: unknown,
): Promise<{ readonly child: Child<Task, Reply>; readonly first: unknown }> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const process_: ChildProcess = fork(path, argument === undefined ? [] : [JSON.stringify(argument)], {
    execArgv: ["--conditions=sedna-source", "--import", "tsx"],
  });
  const failed = once(process_, "exit").then(([code]) =>
    Promise.reject(new Error(`${file} exited with ${code}`)),
  );
  failed.catch(() => {});
  const reply = async (): Promise<unknown> => (await Promise.race([once(process_, "message"), failed]))[0];
  const first = argument === undefined ? undefined : await reply();
  return {
    first,
    child: {
      async ask(task) {
        const answer = reply();
        process_.send(task as object);
        return (await answer) as Reply;
      },
      async end() {
        const gone = once(process_, "exit");
        process_.send("end");
        await gone;
      },
    },
  };
}

/** The measurements of several rounds. */
interface Measured {
  readonly peakRss: number;
  /** Measurements of each round. */
  readonly rounds: readonly LoadUse[];
  readonly drops: readonly LoadUse[];
  /** CPU time of validating and adding updates, as a fraction of all CPU time of the rounds. */
  readonly cpuShare: number;
}

/** Starts the server and the load generator in two processes, and lets the clients join. */
async function startBoth(task: ServerTask, { sockets }: { readonly sockets: boolean }) {
  const { child: server, first } = await start<"use", ServerUsage>("./server.ts", task);
  const { child: load } = await start<LoadTask, LoadUse>("./load.ts");
  const { clients, parameters } = task;
  const urls = first as { readonly url: string; readonly jsonUrl: string };
  await load.ask({ kind: "join", ...urls, clients, parameters, sockets });
  return { server, load };
}

/**
 * Runs rounds over real HTTP between two processes, and after each round sends the same bytes to be dropped.
 */
async function measure({
  clients,
  parameters,
  rounds,
  drop,
}: ServerTask & { readonly drop: boolean }): Promise<Measured> {
  const { server, load } = await startBoth({ clients, parameters, rounds }, { sockets: false });
  const uses: LoadUse[] = [];
  const drops: LoadUse[] = [];
  let cpuMs = 0;
  let busyMs = 0;
  let peakRss = NaN;
  for (let round = 1; round <= rounds; round++) {
    const before = await server.ask("use");
    const use = await load.ask({ kind: "round", round });
    const after = await server.ask("use");
    uses.push(use);
    cpuMs += use.cpuMs + after.cpuMs - before.cpuMs;
    busyMs += after.busyMs - before.busyMs;
    // The peak of one round, before anything was dropped.
    if (round === 1) ({ peakRss } = after);
    if (drop) drops.push(await load.ask({ kind: "drop", updates: clients, atOnce: Math.min(72, clients) }));
  }
  await load.end();
  await server.end();
  return { peakRss, rounds: uses, drops, cpuShare: busyMs / cpuMs };
}

/**
 * Runs rounds with few parameters in both forms, in turn: ours over HTTP, and JSON over WebSockets. Each
 * round sends the new model to every client.
 */
async function againstJson({
  clients,
  parameters,
  rounds,
}: ServerTask): Promise<{ readonly ours: readonly number[]; readonly json: readonly number[] }> {
  const { server, load } = await startBoth({ clients, parameters, rounds }, { sockets: true });
  const ours: number[] = [];
  const json: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const exchanged = (await load.ask({ kind: "exchange", round })).ms;
    const asJson = (await load.ask({ kind: "json" })).ms;
    if (round <= WARM_UP) continue;
    ours.push(exchanged);
    json.push(asJson);
  }
  await load.end();
  await server.end();
  return { ours, json };
}

/** Measures one round of many clients, on two cores that server and clients share. */
export async function benchFederatedRound({
  clients = 1000,
  parameters = 1_000_000,
  rounds = 3,
}: Partial<ServerTask> = {}): Promise<Figure[]> {
  const few = Math.max(1, Math.round(clients / 10));
  const small = await measure({ clients: few, parameters, rounds: 1, drop: false });
  const repeated = await measure({ clients: few, parameters, rounds: 2 * rounds, drop: true });
  const some = Math.max(1, Math.round(clients / 4));
  const both = await againstJson({
    clients: some,
    parameters: Math.round(parameters / 10),
    rounds: rounds + WARM_UP,
  });
  const large = await measure({ clients, parameters, rounds: 2, drop: true });
  const size = `${clients} x ${parameters.toExponential(0).replace("+", "")}`;
  // The first round warms up both.
  const [whole, dropped] = [large.rounds.at(-1)!, large.drops.at(-1)!];
  const over = repeated.rounds.slice(1).map(({ ms }, i) => ms / repeated.drops[i + 1]!.ms);
  return [
    {
      name: NAME,
      metric: `${size}: peak RSS of the server`,
      value: large.peakRss,
      unit: "MB",
      peer: `of ${few} clients`,
      ratio: large.peakRss / small.peakRss,
    },
    {
      name: NAME,
      metric: `${size}: round`,
      value: whole.ms,
      unit: "ms",
      peer: "receiving the same bytes and dropping them",
      ratio: whole.ms / dropped.ms,
    },
    {
      name: NAME,
      metric: `${few} clients: round over dropping, median of ${over.length}`,
      value: median(over),
      unit: "",
    },
    {
      name: NAME,
      metric: `${size}: share of CPU time in checking and adding`,
      value: large.cpuShare,
      unit: "",
    },
    {
      name: NAME,
      metric: `${some} clients of ${Math.round(parameters / 10)
        .toExponential(0)
        .replace("+", "")}: round and model`,
      value: median(both.ours),
      unit: "ms",
      peer: "as JSON over WebSockets",
      ratio: median(both.json.map((ms, i) => ms / both.ours[i]!)),
    },
    {
      name: NAME,
      metric: `${size}: times that a client was told to retry later`,
      value: whole.sentAway,
      unit: "",
    },
  ];
}
