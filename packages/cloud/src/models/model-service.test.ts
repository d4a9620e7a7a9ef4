import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCloud, type Cloud } from "../http/create-cloud.ts";
import { directoryModels } from "./directory-models.node.ts";
import { modelService } from "./model-service.ts";

const bytes = Uint8Array.from({ length: 1003 }, (_, i) => i % 251);
const blob = `${"a".repeat(64)}.onnx`;
const at = { folder: "", cloud: undefined as unknown as Cloud };
beforeAll(async () => {
  at.folder = await mkdtemp(join(tmpdir(), "sedna-published-"));
  await mkdir(join(at.folder, "models", "people", "folder"), { recursive: true });
  await writeFile(join(at.folder, "secret.json"), "must not leak");
  await writeFile(join(at.folder, "models", "people", "manifest.json"), "{}");
  await writeFile(join(at.folder, "models", "people", blob), bytes);
  await writeFile(join(at.folder, "models", "people", "empty.bin"), "");
  await writeFile(join(at.folder, "models", "people", ".hidden"), "must not leak");
  await symlink(join(at.folder, "secret.json"), join(at.folder, "models", "people", "link.json"));
  at.cloud = createCloud({
    services: [modelService({ files: directoryModels(join(at.folder, "models")) })],
    origins: ["https://app.example"],
  });
});
afterAll(() => rm(at.folder, { recursive: true }));
const get = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> =>
  at.cloud(new Request(`http://cloud/v1/models/${path}`, { method, headers }));
const body = async (response: Response): Promise<number[]> => [
  ...new Uint8Array(await response.arrayBuffer()),
];

describe("modelService()", () => {
  it("serves a manifest that is always revalidated and a file that is immutable", async () => {
    const manifest = await get("people/manifest.json");
    expect([
      manifest.status,
      manifest.headers.get("content-type"),
      manifest.headers.get("cache-control"),
      await manifest.text(),
    ]).toEqual([200, "application/json", "no-cache", "{}"]);
    const file = await get(`people/${blob}`);
    expect([file.status, file.headers.get("content-length"), file.headers.get("cache-control")]).toEqual([
      200,
      "1003",
      "public, max-age=31536000, immutable",
    ]);
    expect(await body(file)).toEqual([...bytes]);
    expect(await body(await get("people/empty.bin"))).toEqual([]);
  });

  it.each([
    ["bytes=0-", 0, 1003],
    ["bytes=1000-", 1000, 1003],
    ["bytes=5-9", 5, 10],
    ["bytes=0-0", 0, 1],
    ["bytes=1002-5000", 1002, 1003],
    ["bytes=-3", 1000, 1003],
    ["bytes=-5000", 0, 1003],
  ])("serves the range %s", async (range, start, end) => {
    const response = await get(`people/${blob}`, { range });
    expect([
      response.status,
      response.headers.get("content-range"),
      response.headers.get("content-length"),
    ]).toEqual([206, `bytes ${start}-${end - 1}/1003`, String(end - start)]);
    expect(await body(response)).toEqual([...bytes.subarray(start, end)]);
  });

  it.each(["bytes=1003-", "bytes=5000-6000", "bytes=-0"])(
    "responds with 416 to the range %s",
    async (range) => {
      const response = await get(`people/${blob}`, { range });
      expect([response.status, response.headers.get("content-range"), await body(response)]).toEqual([
        416,
        "bytes */1003",
        [],
      ]);
    },
  );

  it.each(["bytes=", "bytes=-", "bytes=9-5", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=1e3-"])(
    "serves the whole file for the unsupported range %s",
    async (range) => {
      expect((await get(`people/${blob}`, { range })).status).toBe(200);
    },
  );

  it("responds with 304 if the client has the file, and serves a range only of the same file", async () => {
    const etag = (await get(`people/${blob}`)).headers.get("etag")!;
    expect(etag).toMatch(/^"[\w-]+"$/);
    for (const known of [etag, `"x", W/${etag}`, "*"])
      expect((await get(`people/${blob}`, { "if-none-match": known })).status).toBe(304);
    expect((await get(`people/${blob}`, { "if-none-match": '"x"' })).status).toBe(200);
    expect((await get(`people/${blob}`, { range: "bytes=5-", "if-range": etag })).status).toBe(206);
    expect((await get(`people/${blob}`, { range: "bytes=5-", "if-range": '"x"' })).status).toBe(200);
    await writeFile(join(at.folder, "models", "people", "manifest.json"), "{ }");
    expect((await get("people/manifest.json", { "if-none-match": etag })).status).toBe(200);
  });

  it("responds to HEAD with the length and no bytes, and rejects other methods", async () => {
    const head = await get(`people/${blob}`, {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await body(head)]).toEqual([200, "1003", []]);
    for (const method of ["POST", "PUT", "DELETE"])
      expect((await get(`people/${blob}`, {}, method)).status).toBe(405);
  });

  it.each([
    "people/../../secret.json",
    "people/..%2f..%2fsecret.json",
    "..%2fsecret.json/x",
    "%2e%2e/secret.json",
    "people/%2e%2e%2fsecret.json",
    "people/..%5c..%5csecret.json",
    "people/link.json",
    "people/.hidden",
    "people/folder",
    "people/manifest.json%00",
    "people/%2fetc%2fpasswd",
    "no-such-model/manifest.json",
    "people/none",
    "people/a%0ab",
  ])("B11: responds with 404 to %s", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("must not leak");
  });

  it("B11: responds with 404 to any name that was not published", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (name) => {
        const { status } = await get(`people/${encodeURIComponent(name)}`);
        expect(status).toBe(404);
      }),
    );
  });

  it("exposes the headers that pages need to resume a download", async () => {
    const response = await get(`people/${blob}`, { origin: "https://app.example", range: "bytes=5-" });
    expect(response.headers.get("access-control-expose-headers")).toMatch(/etag.*content-range/);
    expect(await body(response)).toHaveLength(998);
  });

  it("leaves no file open, whether the body is read to its end or not", async () => {
    const open = async (): Promise<number> =>
      process.platform === "linux" ? (await readdir("/proc/self/fd")).length : 0;
    const before = await open();
    for (let i = 0; i < 50; i++) {
      await (await get(`people/${blob}`)).arrayBuffer();
      await (await get(`people/${blob}`)).body?.cancel();
      await get(`people/${blob}`, {}, "HEAD");
      await get(`people/${blob}`, { range: "bytes=9999-" });
      await get("people/folder");
    }
    await expect.poll(open).toBeLessThanOrEqual(before + 2);
  });
});
