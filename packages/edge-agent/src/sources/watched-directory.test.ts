import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Frame } from "@sedna-js/core";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DirectoryOptions } from "./platform.ts";
import { directory } from "./directory.node.ts";

const settleMs = 60;
let root = "";
let folder = "";
const stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "sedna-"));
  folder = join(root, "incoming");
  await mkdir(folder);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await rm(root, { recursive: true });
});

/** Creates an image whose width identifies it. */
const jpeg = (width: number): Promise<Buffer> =>
  sharp({ create: { width, height: 3, channels: 3, background: { r: 255, g: 0, b: 0 } } })
    .jpeg()
    .toBuffer();
const put = async (name: string, width: number): Promise<void> =>
  writeFile(join(folder, name), await jpeg(width));
const watch = (
  options: DirectoryOptions = {},
): { readonly widths: number[]; readonly ended: Promise<unknown> } => {
  const widths: number[] = [];
  const stop = new AbortController();
  const ended = (async () => {
    for await (const frame of directory(folder, { watch: true, settleMs, signal: stop.signal, ...options })) {
      widths.push(frame.width);
      frame.close();
    }
  })().catch((error: unknown) => error);
  stops.push(async () => (stop.abort(), void (await ended)));
  return { widths, ended };
};
/** Long timeout: the watcher sleeps ten times as long as it scans, and other tests share the machine. */
const poll = <T>(read: () => T) => expect.poll(read, { timeout: 10_000 });
const some = (times: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, times * settleMs));

describe("directory() with watch", { timeout: 30_000 }, () => {
  it("yields the existing images, then new ones, in order and each once", async () => {
    await put("img10.jpg", 10);
    await put("img2.jpg", 2);
    const { widths } = watch();
    await poll(() => widths).toEqual([2, 10]);
    await put("img3.jpg", 3);
    await poll(() => widths).toEqual([2, 10, 3]);
    await some(4);
    expect(widths).toEqual([2, 10, 3]);
  });

  it("never reads a file that is still being written or that is in transfer under a temporary name", async () => {
    const skipped: unknown[] = [];
    const { widths } = watch({ onSkip: (event) => skipped.push(event) });
    const bytes = await jpeg(64);
    const step = Math.ceil(bytes.length / 12);
    for (let at = 0; at < bytes.length; at += step) {
      await appendFile(join(folder, "slow.jpg"), bytes.subarray(at, at + step));
      await some(0.5);
      if (at + step < bytes.length) expect(widths).toEqual([]);
    }
    await poll(() => widths).toEqual([64]);
    await writeFile(join(folder, ".moving.jpg.x7Yb2"), await jpeg(7));
    await writeFile(join(folder, ".moving.jpg"), await jpeg(7));
    await some(4);
    expect(widths).toEqual([64]);
    await rename(join(folder, ".moving.jpg"), join(folder, "moved.jpg"));
    await poll(() => widths).toEqual([64, 7]);
    expect(skipped).toEqual([]);
  });

  it("yields an image again after its file is overwritten, even with an older modification time", async () => {
    await put("latest.jpg", 5);
    const { widths } = watch();
    await poll(() => widths).toEqual([5]);
    await put("latest.jpg", 6);
    await poll(() => widths).toEqual([5, 6]);
    const old = new Date(1e12);
    await put("next.tmp", 7);
    await utimes(join(folder, "next.tmp"), old, old);
    await rename(join(folder, "next.tmp"), join(folder, "latest.jpg"));
    await poll(() => widths).toEqual([5, 6, 7]);
  });

  it("continues after the directory is removed and re-created", async () => {
    await put("a.jpg", 1);
    const { widths } = watch();
    await poll(() => widths).toEqual([1]);
    await rm(folder, { recursive: true });
    await some(3);
    await mkdir(folder);
    await put("a.jpg", 2);
    await poll(() => widths).toEqual([1, 2]);
  });

  it("yields no image twice after the directory was missing or unreadable", async () => {
    await put("a.jpg", 1);
    const told: string[] = [];
    const { widths } = watch({ onSkip: ({ path }) => told.push(path) });
    await poll(() => widths).toEqual([1]);
    await rename(folder, `${folder}-away`);
    await some(3);
    await rename(`${folder}-away`, folder);
    await put("b.jpg", 2);
    await poll(() => widths).toEqual([1, 2]);
    // A circular symlink is unreadable, even for root.
    await symlink("circle.jpg", join(folder, "circle.jpg"));
    await poll(() => told).toEqual([folder]);
    await some(3);
    expect(told).toEqual([folder]);
    await rm(join(folder, "circle.jpg"));
    await put("c.jpg", 3);
    await poll(() => widths).toEqual([1, 2, 3]);
    await some(4);
    expect(widths).toEqual([1, 2, 3]);
  });

  it("deletes an image when the next is requested, and no image that was not yielded", async () => {
    for (const width of [1, 2, 3]) await put(`${width}.jpg`, width);
    const iterator = directory(folder, { watch: true, settleMs, remove: true })[Symbol.asyncIterator]();
    expect(((await iterator.next()).value as Frame).width).toBe(1);
    expect(await readdir(folder)).toEqual(["1.jpg", "2.jpg", "3.jpg"]);
    expect(((await iterator.next()).value as Frame).width).toBe(2);
    expect(await readdir(folder)).toEqual(["2.jpg", "3.jpg"]);
    await iterator.return!();
    expect(await readdir(folder)).toEqual(["2.jpg", "3.jpg"]);
  });

  it("does not delete an image that was overwritten in the meantime", async () => {
    await put("latest.jpg", 1);
    const iterator = directory(folder, { watch: true, settleMs, remove: true })[Symbol.asyncIterator]();
    await iterator.next();
    await put("latest.jpg", 2);
    expect(((await iterator.next()).value as Frame).width).toBe(2);
    await iterator.return!();
    expect(await sharp(await readFile(join(folder, "latest.jpg"))).metadata()).toMatchObject({ width: 2 });
  });

  it("reports an invalid image once and yields it after it becomes valid; without onSkip it throws", async () => {
    await writeFile(join(folder, "broken.jpg"), (await jpeg(9)).subarray(0, 100));
    await mkdir(join(folder, "folder.jpg"));
    const skipped: string[] = [];
    const { widths } = watch({ onSkip: ({ path }) => skipped.push(path) });
    await poll(() => skipped).toEqual([join(folder, "broken.jpg")]);
    await put("good.jpg", 4);
    await poll(() => widths).toEqual([4]);
    await put("broken.jpg", 8);
    await poll(() => widths).toEqual([4, 8]);
    expect(skipped).toHaveLength(1);
    await writeFile(join(folder, "other.jpg"), "text");
    expect(await watch().ended).toEqual(
      expect.objectContaining({
        message: expect.stringMatching(/read .+other\.jpg: decode a picture: expected JPEG/),
      }),
    );
  });

  it("ends at once when its reader stops, and throws on a wrong path or option", async () => {
    const iterator = directory(folder, { watch: true, settleMs: 60_000 })[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await some(1);
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await expect(
      directory(join(root, "nowhere"), { watch: true })[Symbol.asyncIterator]().next(),
    ).rejects.toThrow("ENOENT");
    expect(() => directory(folder, { remove: true })).toThrow("expected remove together with watch");
    expect(() => directory(folder, { watch: true, settleMs: 0 })).toThrow("expected settleMs");
  });
});
