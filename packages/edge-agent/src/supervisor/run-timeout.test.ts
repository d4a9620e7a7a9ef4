import { describe, expect, it } from "vitest";
import { createRunTimeout } from "./run-timeout.ts";

describe("createRunTimeout()", () => {
  it("allows the first run one minute, and later runs twenty times the median, within 5 and 60 s", () => {
    const timeout = createRunTimeout();
    expect(timeout.ms).toBe(60_000);
    timeout.took(4000);
    expect(timeout.ms).toBe(60_000);
    timeout.took(10);
    expect(timeout.ms).toBe(5000);
    for (let i = 0; i < 30; i++) timeout.took(400);
    expect(timeout.ms).toBe(8000);
    for (let i = 0; i < 30; i++) timeout.took(10_000);
    expect(timeout.ms).toBe(60_000);
  });

  it("keeps a fixed timeout", () => {
    const timeout = createRunTimeout(300);
    for (let i = 0; i < 30; i++) timeout.took(10_000);
    expect(timeout.ms).toBe(300);
  });
});
