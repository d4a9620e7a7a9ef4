import { describe, expect, it } from "vitest";
import { createCircuitBreaker } from "./circuit-breaker.ts";

describe("createCircuitBreaker()", () => {
  const make = () => {
    const clock = { ms: 0 };
    return { clock, breaker: createCircuitBreaker({ failures: 3, resetMs: 100, now: () => clock.ms }) };
  };

  it("opens after failures in a row, and refuses at once with the time to wait", () => {
    const { breaker, clock } = make();
    for (let i = 0; i < 3; i++) breaker.admit().failed();
    clock.ms = 40;
    expect(breaker.state).toBe("open");
    expect(() => breaker.admit()).toThrow(
      expect.objectContaining({ code: "circuit-open", retryAfterMs: 60 }),
    );
  });

  it("stays closed while successes come between", () => {
    const { breaker } = make();
    for (let i = 0; i < 10; i++) {
      breaker.admit().failed();
      breaker.admit().failed();
      breaker.admit().succeeded();
    }
    expect(breaker.state).toBe("closed");
  });

  it("lets one probe through after the wait: its success closes, its failure opens again", () => {
    const { breaker, clock } = make();
    for (let i = 0; i < 3; i++) breaker.admit().failed();
    clock.ms = 100;
    const probe = breaker.admit();
    expect(() => breaker.admit()).toThrow("it failed 3 times in a row");
    probe.failed();
    expect(breaker.state).toBe("open");
    clock.ms = 200;
    breaker.admit().succeeded();
    expect(breaker.state).toBe("closed");
  });

  it("does not take a caller who leaves for a failure", () => {
    const { breaker, clock } = make();
    for (let i = 0; i < 10; i++) breaker.admit().ignored();
    expect(breaker.state).toBe("closed");
    for (let i = 0; i < 3; i++) breaker.admit().failed();
    clock.ms = 100;
    breaker.admit().ignored();
    expect(() => breaker.admit()).not.toThrow();
  });
});
