import { sign } from "hono/jwt";
import type { SednaError } from "@sedna-js/core";
import type { SessionRequest } from "@sedna-js/core/wire";
import { describe, expect, it } from "vitest";
import { createCloud } from "../../http/create-cloud.ts";
import { testDevice } from "./device-keys.suite.ts";
import { memoryDeviceRegistry } from "./device-registry.ts";
import { enrolledSessions, type EnrolledSessionsOptions } from "./enrolled-sessions.ts";
import { enrollmentService } from "./enrollment-service.ts";

const audience = "https://cloud.example/digits";
const secret = "s".repeat(32);
const START = 1_700_000_000_000;

function opened(options: Partial<EnrolledSessionsOptions> = {}) {
  const clock = { now: START };
  const registry = memoryDeviceRegistry();
  const settings = {
    audience,
    registry,
    enrollmentTokens: ["first-token", "second-token"],
    secret,
    now: () => clock.now,
    ...options,
  };
  return {
    clock,
    registry,
    settings,
    sessions: enrolledSessions(settings),
    device: () => testDevice(() => clock.now),
  };
}
async function enrolled(options: Partial<EnrolledSessionsOptions> = {}) {
  const all = opened(options);
  const device = await all.device();
  await all.sessions.enroll(await device.enrollment({ audience }), { token: "second-token" });
  return { ...all, one: device };
}
const rejection = async (work: Promise<unknown>): Promise<SednaError> => {
  try {
    await work;
  } catch (error) {
    return error as SednaError;
  }
  throw new Error("expected a WireError; the body was accepted");
};

describe("enrolledSessions()", () => {
  it("enrolls a device once with an enrollment token, and grants it sessions by its key", async () => {
    const { sessions, registry, device } = opened();
    const one = await device();
    expect(await sessions.enroll(await one.enrollment({ audience }), { token: "first-token" })).toEqual({
      device: one.device,
      now: START,
      isNew: true,
    });
    expect(await sessions.enroll(await one.enrollment({ audience }), { token: "first-token" })).toMatchObject(
      {
        isNew: false,
      },
    );
    expect(await registry.list()).toEqual([
      { device: one.device, publicKey: one.publicKey, label: "a test", enrolledAt: START },
    ]);
    const { token, client, epoch, expiresIn } = await sessions.grant(await one.request({ audience }));
    expect({ client, expiresIn }).toEqual({ client: one.device, expiresIn: 600 });
    expect(await sessions.verify(token)).toEqual({ client, epoch });
  });

  it("enrolls no device without a valid token, however similar the token is", async () => {
    const { sessions, registry, device } = opened();
    const one = await device();
    for (const token of [undefined, "", "first", "first-token ", "FIRST-TOKEN", "third-token"])
      expect(
        (await rejection(sessions.enroll(await one.enrollment({ audience }), { token }))).message,
      ).toContain("expected a valid enrollment token");
    const closed = opened({ enrollmentTokens: [] });
    expect(
      await rejection(closed.sessions.enroll(await one.enrollment({ audience }), { token: "" })),
    ).toMatchObject({ code: "cloud-refused" });
    expect(await registry.list()).toEqual([]);
  });

  it("rejects a key that the device does not own", async () => {
    const { sessions, device } = opened();
    const [one, other] = [await device(), await device()];
    const stolen = { ...(await one.enrollment({ audience })), publicKey: other.publicKey };
    expect((await rejection(sessions.enroll(stolen, { token: "first-token" }))).message).toContain(
      "signed by the device's key",
    );
    const noPoint = Buffer.alloc(65, 1);
    noPoint[0] = 4;
    expect(
      (
        await rejection(
          sessions.enroll({ ...stolen, publicKey: noPoint.toString("base64") }, { token: "first-token" }),
        )
      ).message,
    ).toContain("signed by the device's key");
  });

  it.each<[string, (all: Awaited<ReturnType<typeof enrolled>>) => Promise<SessionRequest>, string]>([
    [
      "no proof",
      async ({ one }) => ({ protocol: 1, device: one.device, numSamples: 1 }),
      "expected a proof by the device's key",
    ],
    [
      "a proof for another audience",
      ({ one }) => one.request({ audience: "https://elsewhere.example" }),
      "expected a proof for this audience",
    ],
    [
      "another's key",
      async ({ one, device }) => ({
        ...(await (await device()).request({ audience, device: one.device })),
        device: one.device,
      }),
      "signed by the device's key",
    ],
    [
      "a claim to be another device",
      async ({ one }) => ({
        ...(await one.request({ audience, device: "0".repeat(32) })),
        device: one.device,
      }),
      "signed by the device's key",
    ],
    [
      "an unknown device",
      async ({ device }) => (await device()).request({ audience }),
      "expected a device that is enrolled",
    ],
    [
      "a name that is not a device id",
      async ({ one }) => ({ ...(await one.request({ audience })), device: "../../etc/passwd" }),
      "expected a device that is enrolled",
    ],
    [
      "a clock that is too far behind",
      ({ one }) => one.request({ audience, at: START - 300_001 }),
      "2023-11-14T22:13:20.000Z by the server's clock; got one of 2023-11-14T22:08:19.999Z",
    ],
    [
      "a clock that is too far ahead",
      ({ one }) => one.request({ audience, at: START + 300_001 }),
      "by the server's clock",
    ],
    [
      "a time outside the range of Date",
      ({ one }) => one.request({ audience, at: Number.MAX_SAFE_INTEGER }),
      "by the server's clock",
    ],
    [
      "a malformed signature",
      async ({ one }) => ({
        ...(await one.request({ audience })),
        proof: { at: START, nonce: "x", signature: "!!!" },
      }),
      "signed by the device's key",
    ],
  ])("refuses %s", async (_, ask, why) => {
    const all = await enrolled();
    const error = await rejection(all.sessions.grant(await ask(all)));
    expect(error).toMatchObject({ code: "cloud-refused", retryable: false });
    expect(error.message).toContain(why);
  });

  it("C15: accepts a clock that is off by no more than its window", async () => {
    const { sessions, one } = await enrolled();
    for (const at of [START - 300_000, START + 300_000])
      expect(await sessions.grant(await one.request({ audience, at }))).toMatchObject({ client: one.device });
  });

  it("C23: accepts no proof twice, for as long as the proof could be valid", async () => {
    const { sessions, one, clock } = await enrolled();
    const request = await one.request({ audience, at: START + 300_000 });
    await sessions.grant(request);
    for (const later of [0, 1, 300_000, 600_000]) {
      clock.now = START + later;
      expect((await rejection(sessions.grant(request))).message).toMatch(
        "expected a proof that was not used before",
      );
    }
    clock.now = START + 600_001;
    expect((await rejection(sessions.grant(request))).message).toContain("by the server's clock");
  });

  it("C23: keeps one session per device: a newer session fences the older one, and of fifty only the last remains", async () => {
    const { sessions, one } = await enrolled({ perMinute: 100 });
    const tokens: string[] = [];
    for (let i = 0; i < 50; i++) tokens.push((await sessions.grant(await one.request({ audience }))).token);
    const standing = await Promise.all(tokens.map((token) => sessions.verify(token)));
    expect(standing.filter((member) => "client" in member).length).toBe(1);
    expect(standing.at(-1)).toMatchObject({ client: one.device });
    expect(
      standing.slice(0, -1).every((member) => "rejected" in member && member.rejected === "session-replaced"),
    ).toBe(true);
  });

  it("C23: limits the rate at which one device starts sessions, and affects no other device", async () => {
    const { sessions, one, device } = await enrolled({ perMinute: 3 });
    for (let i = 0; i < 3; i++) await sessions.grant(await one.request({ audience }));
    expect(await rejection(sessions.grant(await one.request({ audience })))).toMatchObject({
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: 20_000,
    });
    const other = await device();
    await sessions.enroll(await other.enrollment({ audience }), { token: "first-token" });
    expect(await sessions.grant(await other.request({ audience }))).toMatchObject({ client: other.device });
    // A request with only the name of a device does not use up the device's rate limit.
    const again = await enrolled({ perMinute: 1 });
    for (let i = 0; i < 5; i++)
      await rejection(
        again.sessions.grant({ ...(await other.request({ audience })), device: again.one.device }),
      );
    expect(await again.sessions.grant(await again.one.request({ audience }))).toMatchObject({
      client: again.one.device,
    });
  });

  it("ends a session when its token expires, when it is ended, and when the device is revoked", async () => {
    const { sessions, one, clock } = await enrolled({ tokenSeconds: 60 });
    const first = await sessions.grant(await one.request({ audience }));
    clock.now += 59_999;
    expect(await sessions.verify(first.token)).toMatchObject({ client: one.device });
    clock.now += 1;
    expect(await sessions.verify(first.token)).toMatchObject({ rejected: "unauthorized" });
    const second = await sessions.grant(await one.request({ audience }));
    sessions.end(first);
    expect(await sessions.verify(second.token)).toMatchObject({ client: one.device });
    sessions.end(second);
    expect(await sessions.verify(second.token)).toMatchObject({ rejected: "unauthorized" });
    const third = await sessions.grant(await one.request({ audience }));
    expect(await sessions.revoke(one.device)).toBe(true);
    expect(await sessions.verify(third.token)).toMatchObject({ rejected: "unauthorized" });
    expect((await rejection(sessions.grant(await one.request({ audience })))).message).toContain("revoked");
    expect(
      (await rejection(sessions.enroll(await one.enrollment({ audience }), { token: "first-token" })))
        .message,
    ).toContain("revoked");
    expect(await sessions.revoke("0".repeat(32))).toBe(false);
  });

  it("accepts no token but its own", async () => {
    const { sessions, one, settings } = await enrolled();
    const payload = {
      sub: one.device,
      aud: audience,
      iat: START / 1000,
      exp: START / 1000 + 600,
      epoch: START,
    };
    expect(await sessions.verify(await sign(payload, secret, "HS256")), "a well-formed token").toMatchObject({
      client: one.device,
    });
    const unsigned = `${btoa('{"alg":"none","typ":"JWT"}')}.${btoa(JSON.stringify(payload))}.`.replaceAll(
      "=",
      "",
    );
    const forged = [
      await sign(payload, "x".repeat(32), "HS256"),
      await sign({ ...payload, aud: "https://elsewhere.example" }, secret, "HS256"),
      await sign({ ...payload, exp: START / 1000 }, secret, "HS256"),
      await sign({ ...payload, epoch: "1" }, secret, "HS256"),
      await sign(payload, secret, "HS512"),
      unsigned,
      "",
      "a.b.c",
    ];
    for (const token of forged)
      expect(await sessions.verify(token)).toMatchObject({ rejected: "unauthorized" });
    expect(() => enrolledSessions({ ...settings, secret: "short" })).toThrow(RangeError);
  });

  it("C20: keeps sessions across a restart with the same secret, and still fences older ones", async () => {
    const { sessions, one, settings, clock } = await enrolled();
    const older = await sessions.grant(await one.request({ audience }));
    const newer = await sessions.grant(await one.request({ audience }));
    const restarted = enrolledSessions(settings);
    expect(await restarted.verify(newer.token)).toMatchObject({ epoch: newer.epoch });
    expect(await restarted.verify(older.token)).toMatchObject({ rejected: "session-replaced" });
    clock.now += 1;
    const newest = await restarted.grant(await one.request({ audience }));
    expect(newest.epoch).toBeGreaterThan(newer.epoch);
    expect(await restarted.verify(newer.token)).toMatchObject({ rejected: "session-replaced" });
    expect(
      await enrolledSessions({ ...settings, secret: "t".repeat(32) }).verify(newest.token),
    ).toMatchObject({ rejected: "unauthorized" });
  });
});

describe("enrollmentService()", () => {
  it("responds with 201 for a new device, 200 for a known one, 403 without a valid token, 400 for a malformed request, and 413 for a long one", async () => {
    const { sessions, device } = opened();
    const cloud = createCloud({ services: [enrollmentService({ sessions, federations: ["digits"] })] });
    await cloud.start();
    const one = await device();
    const post = async (body: string, token = "first-token"): Promise<{ status: number; body: unknown }> => {
      const response = await cloud(
        new Request("http://x/v1/federations/digits/devices", {
          method: "POST",
          body,
          headers: { authorization: `Bearer ${token}` },
        }),
      );
      return { status: response.status, body: await response.json() };
    };
    expect(await post(JSON.stringify(await one.enrollment({ audience })))).toEqual({
      status: 201,
      body: { device: one.device, now: START },
    });
    expect((await post(JSON.stringify(await one.enrollment({ audience })))).status).toBe(200);
    expect(await post(JSON.stringify(await one.enrollment({ audience })), "wrong")).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining("enrollment token") },
    });
    expect((await post("{}")).status).toBe(400);
    expect((await post("x".repeat(5000))).status).toBe(413);
    await cloud.drain();
  });
});
