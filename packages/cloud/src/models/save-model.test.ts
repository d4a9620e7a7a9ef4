import { mkdir, mkdtemp, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors } from "@sedna-js/core/wire";
import { afterAll, beforeAll, expect, it } from "vitest";
import { modelFile } from "./save-model.node.ts";

const paths = { folder: "" };
beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "sedna-save-"))));
afterAll(() => rm(paths.folder, { recursive: true }));

const layout = [
  { name: "w", shape: [2, 2] },
  { name: "b", shape: [] },
];
const model = (round: number) => ({
  layout,
  parameters: Float32Array.of(1, 2, 3, 4, round),
  metadata: { round: String(round) },
});

it("keeps only the latest model, complete at any moment, and no other file", async () => {
  const path = join(paths.folder, "model.safetensors");
  const errors: Error[] = [];
  const file = modelFile(path, { onError: (error) => errors.push(error) });
  let read = 0;
  file.save(model(0));
  await file.settled();
  for (let round = 1; round <= 30; round++) {
    file.save(model(round));
    const { tensors, metadata } = readSafetensors(await readFile(path));
    expect([...(tensors["w"]!.data as Float32Array)]).toEqual([1, 2, 3, 4]);
    expect(Number(metadata["round"])).toBe(tensors["b"]!.data[0]);
    read++;
  }
  await file.settled();
  expect([read, errors]).toEqual([30, []]);
  expect(readSafetensors(await readFile(path)).metadata).toEqual({ round: "30" });
  expect(await readdir(paths.folder)).toEqual(["model.safetensors"]);
});

it("reports a failed write, leaves no temporary file, and saves the next model", async () => {
  const path = join(paths.folder, "taken");
  await mkdir(path);
  const errors: Error[] = [];
  const file = modelFile(path, { onError: (error) => errors.push(error) });
  file.save(model(1));
  await file.settled();
  expect(errors).toHaveLength(1);
  expect((await readdir(paths.folder)).filter((name) => name.includes(".tmp"))).toEqual([]);
  await rmdir(path);
  file.save(model(2));
  await file.settled();
  expect(readSafetensors(await readFile(path)).metadata).toEqual({ round: "2" });
  expect(errors).toHaveLength(1);
});
