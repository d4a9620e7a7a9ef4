import { SednaError } from "@sedna-js/core";
import { SEDNA_PREFIX } from "./sedna-prefix.ts";
import { sessionEpochs } from "./session-epochs.ts";
import { sessionTokens } from "./session-tokens.ts";
import type { Sessions } from "./sessions.ts";

/** Options of {@link anonymousSessions}. */
export interface AnonymousSessionsOptions {
  /**
   * Signs the tokens; at least 32 bytes. With the same secret, sessions survive a restart. Default: random.
   */
  readonly secret?: string;
  /** Lifetime of a token, in s. Default 600. */
  readonly tokenSeconds?: number;
  /** Sessions that a device may start per minute. Default 30. */
  readonly perMinute?: number;
  /** Maximum number of devices. Default 100000. */
  readonly maxDevices?: number;
  /** Returns the Unix time in ms. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Creates sessions for devices that state their own names, without authentication: for demos, and for trusted
 * networks. There is still one session per device. A newer session fences the older one, so a client that
 * uses another device's name replaces that device. If that matters, use `enrolledSessions`.
 */
export function anonymousSessions({
  secret = randomSecret(),
  tokenSeconds = 600,
  perMinute = 30,
  maxDevices = 100_000,
  now = Date.now,
}: AnonymousSessionsOptions = {}): Sessions {
  const tokens = sessionTokens({ secret, audience: "open", tokenSeconds, now });
  const epochs = sessionEpochs({ perMinute, maxDevices, lastsMs: 1000 * tokenSeconds, now });
  return {
    async grant({ device }, { after } = {}) {
      // Sedna's own clients have these names. A session with such a name would fence one of them.
      if (device.startsWith(SEDNA_PREFIX))
        throw new SednaError(
          `join: expected a device whose name does not begin with ${SEDNA_PREFIX}; got one that does`,
          { code: "cloud-refused" },
        );
      epochs.admit(device);
      const member = { client: device, epoch: epochs.begin(device, after) };
      return { ...member, token: await tokens.issue(member), expiresIn: tokenSeconds };
    },
    verify: async (token) => {
      const member = await tokens.read(token);
      return member ? standingOf(member, epochs) : unauthorized();
    },
    end: ({ client, epoch }) => epochs.end(client, epoch),
  };
}

/** Returns the member if its session is current, or the reason for the rejection. */
export function standingOf(
  member: { readonly client: string; readonly epoch: number },
  epochs: Pick<ReturnType<typeof sessionEpochs>, "standing">,
): Awaited<ReturnType<Sessions["verify"]>> {
  switch (epochs.standing(member.client, member.epoch)) {
    case "latest":
      return member;
    case "replaced":
      return {
        rejected: "session-replaced",
        error: "expected the latest session of this device; a newer one has started",
      };
    case "ended":
      return unauthorized();
  }
}

/** Returns the rejection of an invalid token. */
export function unauthorized(): { readonly rejected: "unauthorized"; readonly error: string } {
  return { rejected: "unauthorized", error: "expected the token of an active session; got another" };
}

/** Returns 32 random bytes as 64 hexadecimal digits. */
export function randomSecret(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
