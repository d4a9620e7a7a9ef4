import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sample } from "../../../testing/suites/sample-store-suite.ts";

// A server that stores samples in a directory is killed while samples arrive.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const paths = { folder: "" };
const children: ChildProcess[] = [];
beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "sedna-samples-"))));
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(paths.folder, { recursive: true });
});

const serve = async (samples: string): Promise<{ child: ChildProcess; url: string }> => {
  const child = spawn(
    process.execPath,
    [
      "--conditions=sedna-source",
      "--import",
      "tsx",
      source,
      "serve",
      "--samples",
      samples,
      "--port",
      "0",
      "--max-samples-per-second",
      "100000",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  let url = "";
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { url?: string; msg: string };
    url = said.url ?? url;
    if (said.msg === "ready") return { child, url };
  }
  throw new Error("the server ended before it was ready");
};
const send = (url: string, id: string): Promise<number> =>
  fetch(`${url}/v1/samples`, {
    method: "POST",
    headers: { "idempotency-key": id },
    body: sample(id, new Uint8Array(20_000).fill(id.length)),
  }).then(
    ({ status }) => status,
    () => 0,
  );

it("C9: a server killed by SIGKILL during uploads has each acknowledged sample once and no sample twice", async () => {
  const samples = join(paths.folder, "samples");
  const ids = Array.from({ length: 400 }, (_, i) => `cam-${i % 3}/${i}`);
  const acknowledged = new Set<string>();
  let kills = 0;
  for (let waiting = ids; waiting.length > 0; waiting = ids.filter((id) => !acknowledged.has(id))) {
    const { child, url } = await serve(samples);
    let taken = 0;
    const queue = waiting.values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const id of queue) {
          const status = await send(url, id);
          if (status === 200 || status === 201) acknowledged.add(id);
          else if (status === 0) return;
          if (++taken === 90 && kills < 3) kills += child.kill("SIGKILL") ? 1 : 0;
        }
      }),
    );
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
  }
  expect(kills).toBe(3);

  const { child, url } = await serve(samples);
  const page = (await (await fetch(`${url}/v1/samples?limit=1000`)).json()) as { ids: string[] };
  expect(page.ids.toSorted()).toEqual(ids.toSorted());
  expect(await readdir(samples)).toHaveLength(ids.length);
  expect(await send(url, ids[0]!)).toBe(200);
  child.kill("SIGTERM");
  expect((await once(child, "exit"))[0]).toBe(0);
});
