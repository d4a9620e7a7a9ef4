import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { jobSources } from "./job-sources.node.ts";

describe("the sources of a job", () => {
  it.each(Object.keys(jobSources))("%s is in the documentation of jobs", async (kind) => {
    const docs = await readFile(new URL("../../../../docs/edge-device.md", import.meta.url), "utf8");
    expect(docs).toContain(`| \`source.${kind}\``);
  });
});
