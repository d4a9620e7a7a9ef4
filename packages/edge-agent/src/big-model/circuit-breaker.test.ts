import { describe, expect, it } from "vitest";
import { createCircuitBreaker } from "./circuit-breaker.ts";

describe("createCircuitBreaker()", () => {
  const make = () => {
    const clock = { ms: 0 };
    return { clock, breaker: createCircuitBreaker({ failures: 3, resetMs: 100, now: () => clock.ms }) };
  };

  it("opens after consecutive failures and rejects at once with the time until the next attempt", () => {
    const { breaker, clock } = make();
    for (let i = 0; i < 3; i++) breaker.admit().failed();
    clock.ms = 40;
    expect(breaker.state).toBe("open");
    expect(() => breaker.admit()).toThrow(
      expect.objectContaining({ code: "circuit-open", retryAfterMs: 60 }),
    );
  });

  it("stays closed if a success interrupts the failures", () => {
    const { breaker } = make();
    for (let i = 0; i < 10; i++) {
      breaker.admit().failed();
      breaker.admit().failed();
      breaker.admit().succeeded();
    }
    expect(breaker.state).toBe("closed");
  });

  it("admits one probe after the reset time: a success closes the circuit, a failure reopens it", () => {
    const { breaker, clock } = make();
    for (let i = 0; i < 3; i++) breaker.admit().failed();
    clock.ms = 100;
    const probe = breaker.admit();
    expect(() => breaker.admit()).toThrow("3 failures in a row");
    probe.failed();
    expect(breaker.state).toBe("open");
    clock.ms = 200;
    breaker.admit().succeeded();
    expect(breaker.state).toBe("closed");
  });

  it("does not count an abort by the caller as a failure", () => {
    const { breaker, clock } = make();
    for (let i = 0; i < 10; i++) breaker.admit().ignored();
    expect(breaker.state).toBe("closed");
    for (let i = 0; i < 3; i++) breaker.admit().failed();
    clock.ms = 100;
    breaker.admit().ignored();
    expect(() => breaker.admit()).not.toThrow();
  });
});
