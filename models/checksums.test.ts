import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const lines = readFileSync(new URL("SHA256SUMS", import.meta.url), "utf8")
  .trim()
  .split("\n");

describe("vendored files", () => {
  it.each(lines.map((line) => line.split(/\s+/) as [string, string]))("%s is %s", (sum, path) => {
    expect(
      createHash("sha256")
        .update(readFileSync(new URL(path, import.meta.url)))
        .digest("hex"),
    ).toBe(sum);
  });
});
