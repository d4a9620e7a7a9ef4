import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { directoryFederationLog, recomputeModel, type FederationRecord } from "@sedna-js/cloud";
import { aggregation, select } from "@sedna-js/core";
import type { FederationEvent } from "@sedna-js/core/federation";
import {
  UPDATE_TYPE,
  writeUpdateMessage,
  type FederationTask,
  type UpdateReceipt,
} from "@sedna-js/core/wire";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { federationViolations } from "../checkers/federation-history.ts";
import type { KillableAggregator } from "../servers/killable-aggregator.ts";

// These tests use real processes that are killed, real HTTP, and a real directory.

const PARAMETERS = 1003;
const PARTICIPANTS = 6;
const ROUNDS = 4;
const DEATHS = 10;
const place = { folder: "", script: "" };

beforeAll(async () => {
  place.folder = await mkdtemp(join(tmpdir(), "sedna-mortal-"));
  place.script = join(place.folder, "aggregator.mjs");
  // Bundle once, because the script starts many times.
  await build({
    entryPoints: [new URL("../servers/killable-aggregator.ts", import.meta.url).pathname],
    outfile: place.script,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["sedna-source"],
    external: ["onnxruntime-node", "sharp"],
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
});
afterAll(() => rm(place.folder, { recursive: true, force: true }));

/** Returns a client's update in a round; repeated calls return the same update. */
const updateView = (client: number, round: number): Float32Array =>
  Float32Array.from({ length: PARAMETERS }, (_, i) => Math.sin(client * 31 + round * 7 + i));
const samplesOf = (client: number): number => 10 + 3 * client;

async function start(
  task: KillableAggregator,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(place.script, [JSON.stringify(task)], { execArgv: [] });
  const failed = once(child, "exit").then(([code]) =>
    Promise.reject(new Error(`expected an aggregator; it ended with ${code}`)),
  );
  // The test kills the process later on purpose.
  failed.catch(() => {});
  const [{ url }] = (await Promise.race([once(child, "message"), failed])) as [{ url: string }];
  return { child, url };
}

interface Told {
  readonly client: string;
  readonly round: number;
  readonly accepted: boolean;
  readonly duplicate?: boolean;
}

/** Runs a client until the federation is done, even if its aggregator is killed. */
async function takePart(
  client: number,
  {
    url,
    told,
    signal,
  }: { readonly url: string; readonly told: (receipt: Told) => void; readonly signal: AbortSignal },
): Promise<void> {
  const name = `client-${client}`;
  const base = `${url}/v1/federations/mortal`;
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(base + path, {
      ...init,
      headers: { authorization: `Bearer ${name}`, ...(init.headers as Record<string, string>) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
  let after = "";
  while (!signal.aborted) {
    try {
      const response = await ask(`/task${after}`);
      if (response.status === 401) {
        await ask("/sessions", {
          method: "POST",
          body: JSON.stringify({ protocol: 1, device: name, numSamples: samplesOf(client) }),
        });
        continue;
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      const task = (await response.json()) as FederationTask;
      if (task.kind === "done") return;
      after = `?after=${task.seq}&wait=5`;
      if (task.kind !== "train" || task.accepted) continue;
      const values = updateView(client, task.round);
      const body = writeUpdateMessage({
        head: {
          round: task.round,
          modelVersion: task.modelVersion,
          encoding: "f32",
          length: values.length,
          numSamples: samplesOf(client),
        },
        payload: new Uint8Array(values.buffer),
      });
      const reply = await ask(`/rounds/${task.round}/update`, {
        method: "PUT",
        body,
        headers: { "content-type": UPDATE_TYPE },
      });
      if (reply.ok) told({ client: name, ...((await reply.json()) as UpdateReceipt) });
    } catch {
      // The aggregator was killed or has not restarted yet.
      after = "";
      await pause(20);
    }
  }
}

const eventsOf = (records: readonly FederationRecord[]): FederationEvent[] =>
  records.flatMap((record) =>
    record.type === "events" ? record.events : record.type === "aggregated" ? [record.event] : [],
  );

describe("a killed aggregator", () => {
  let end = new AbortController();
  afterEach(() => {
    end.abort();
    end = new AbortController();
  });

  it.each(["FedAvg", "FedAvgM", "Median"] as const)(
    "C20: resumes its round after ten kills, accepts no update twice, and produces the model that its log gives: %s",
    async (method) => {
      const directory = join(place.folder, method);
      const task: KillableAggregator = {
        directory,
        port: 0,
        method,
        participants: PARTICIPANTS,
        numRounds: ROUNDS,
        parameters: PARAMETERS,
      };
      const first = await start(task);
      const { url } = first;
      let { child } = first;
      const port = Number(new URL(url).port);
      const receipts: Told[] = [];
      /** Called at the next receipt. */
      let wake = (): void => {};
      const clients = Array.from({ length: PARTICIPANTS }, (_, client) =>
        takePart(client, {
          url,
          signal: end.signal,
          told(receipt) {
            receipts.push(receipt);
            wake();
          },
        }),
      );
      let isOver = false;
      const over = Promise.all(clients).then(() => (isOver = true));
      let deaths = 0;
      for (; deaths < DEATHS; deaths++) {
        // Kill after one, two or three updates since the last start: before and after a checkpoint, and while
        // a round closes.
        for (let heard = 0; heard < 1 + (deaths % 3) && !isOver; heard++)
          await Promise.race([over, new Promise<void>((resolve) => (wake = resolve))]);
        if (isOver) break;
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
        ({ child } = await start({ ...task, port }));
      }
      await over;
      expect(deaths).toBe(DEATHS);
      const bytes = await (
        await fetch(`${url}/v1/federations/mortal/models/${ROUNDS}`, {
          headers: { authorization: "Bearer client-0" },
        })
      ).arrayBuffer();
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;

      const log = directoryFederationLog(directory);
      await log.open();
      const records = await log.read();
      const [started] = records;
      if (started?.type !== "started") throw new Error("expected the log's start");
      const recomputed = await recomputeModel(log, { aggregator: select(aggregation, { method }) });
      await log.close();
      const model = new Float32Array(bytes);
      expect(Math.max(...model.map((value, i) => Math.abs(value - recomputed[i]!)))).toBeLessThanOrEqual(
        1e-6,
      );
      // An update lost in a kill is sent and reported again, so check only one receipt per update.
      expect(
        federationViolations({
          settings: started.settings,
          seed: started.seed,
          at: started.at,
          events: eventsOf(records),
          receipts: [...new Map(receipts.map((one) => [`${one.client} ${one.round}`, one])).values()],
          models: [{ version: ROUNDS, parameters: model, recomputed }],
        }),
      ).toEqual([]);

      const accepted = eventsOf(records).filter((event) => event.type === "accepted");
      for (let round = 1; round <= ROUNDS; round++)
        expect(
          accepted
            .filter((event) => event.round === round)
            .map(({ client }) => client)
            .toSorted(),
        ).toEqual(Array.from({ length: PARTICIPANTS }, (_, i) => `client-${i}`));
      if (method !== "FedAvg") return;
      // Compute the model by hand: every client is in every round.
      const total = Array.from({ length: PARTICIPANTS }, (_, client) => samplesOf(client)).reduce(
        (a, b) => a + b,
      );
      const byHand = new Float64Array(PARAMETERS);
      for (let round = 1; round <= ROUNDS; round++)
        for (let client = 0; client < PARTICIPANTS; client++)
          updateView(client, round).forEach(
            (value, i) => (byHand[i]! += (samplesOf(client) / total) * value),
          );
      expect(Math.max(...model.map((value, i) => Math.abs(value - byHand[i]!)))).toBeLessThanOrEqual(1e-6);
    },
    180_000,
  );
});
