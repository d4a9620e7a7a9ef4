import type { SednaError } from "@sedna-js/core";
import type { SessionRequest } from "@sedna-js/core/wire";
import { describe, expect, it } from "vitest";
import { anonymousSessions } from "./anonymous-sessions.ts";

const request = (device: string): SessionRequest => ({ protocol: 1, device, numSamples: 1 });

describe("anonymousSessions()", () => {
  it("trusts the name of a device, and keeps only its latest session", async () => {
    const sessions = anonymousSessions();
    const first = await sessions.grant(request("edge-1"));
    const second = await sessions.grant(request("edge-1"));
    const other = await sessions.grant(request("edge-2"));
    expect(await sessions.verify(first.token)).toMatchObject({ rejected: "session-replaced" });
    expect(await sessions.verify(second.token)).toEqual({ client: "edge-1", epoch: second.epoch });
    expect(await sessions.verify(other.token)).toEqual({ client: "edge-2", epoch: other.epoch });
    sessions.end(first);
    expect(
      await sessions.verify(second.token),
      "ending a former session does not end a newer one",
    ).toMatchObject({
      client: "edge-1",
    });
    sessions.end(second);
    expect(await sessions.verify(second.token)).toMatchObject({ rejected: "unauthorized" });
  });

  it("expires tokens, and rejects tokens of another process with another secret", async () => {
    const clock = { now: 1_700_000_000_000 };
    const sessions = anonymousSessions({ tokenSeconds: 10, now: () => clock.now });
    const { token } = await sessions.grant(request("edge-1"));
    expect(await anonymousSessions({ now: () => clock.now }).verify(token)).toMatchObject({
      rejected: "unauthorized",
    });
    clock.now += 10_000;
    expect(await sessions.verify(token)).toMatchObject({ rejected: "unauthorized" });
  });

  it("C23: limits the rate at which one device starts sessions, and forgets devices that are gone", async () => {
    const clock = { now: 1_700_000_000_000 };
    const sessions = anonymousSessions({
      perMinute: 2,
      maxDevices: 3,
      tokenSeconds: 60,
      now: () => clock.now,
    });
    const failure = (device: string): Promise<SednaError> =>
      sessions.grant(request(device)).then(
        () => expect.unreachable(),
        (error: SednaError) => error,
      );
    await sessions.grant(request("a"));
    await sessions.grant(request("a"));
    expect(await failure("a")).toMatchObject({ code: "cloud-busy", retryable: true, retryAfterMs: 30_000 });
    await sessions.grant(request("b"));
    await sessions.grant(request("c"));
    expect(await failure("d")).toMatchObject({
      code: "cloud-busy",
      message: expect.stringContaining("at most 3 devices"),
    });
    clock.now += 60_001;
    expect(await sessions.grant(request("d"))).toMatchObject({ client: "d" });
  });

  it("C15: increases session epochs even if the clock is set back", async () => {
    const clock = { now: 1_700_000_000_000 };
    const sessions = anonymousSessions({ now: () => clock.now });
    const { epoch } = await sessions.grant(request("a"));
    clock.now -= 3_600_000;
    expect((await sessions.grant(request("a"))).epoch).toBe(epoch + 1);
  });

  it("lets no device use the name of a Sedna client", async () => {
    await expect(
      anonymousSessions().grant({ protocol: 1, device: "sedna-v1/A", numSamples: 1 }),
    ).rejects.toMatchObject({ code: "cloud-refused" });
  });
});
