import { describe, expect, it } from "vitest";
import { diagnose } from "./doctor.ts";

describe("diagnose() in a browser", () => {
  it("reports the state of everything that an agent uses, and a fix unless it is ok", async () => {
    const checks = await diagnose();
    expect(checks.map(({ name }) => name)).toEqual([
      "secure context",
      "webgpu",
      "wasm",
      "cross-origin isolation",
      "storage",
      "persistence",
      "indexeddb",
      "memory",
    ]);
    const status = Object.fromEntries(checks.map((check) => [check.name, check.status]));
    expect(status).toMatchObject({
      "secure context": "ok",
      wasm: "ok",
      "cross-origin isolation": "ok",
      indexeddb: "ok",
      memory: "ok",
    });
    for (const check of checks) expect(Boolean(check.fix), check.name).toBe(check.status !== "ok");
    expect((await indexedDB.databases()).filter(({ name }) => name?.startsWith("sedna-doctor"))).toEqual([]);
  });

  it("checks the given servers", async () => {
    const checks = await diagnose({ samples: { url: "/nowhere" }, deadlineMs: 5000 });
    expect(checks.at(-1)).toMatchObject({ name: "sample service", status: "fail" });
  });
});
