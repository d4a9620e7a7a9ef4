import { SednaError } from "@sedna-js/core";
import { SEDNA_PREFIX } from "./sedna-prefix.ts";
import { sessionEpochs } from "./session-epochs.ts";
import { sessionTokens } from "./session-tokens.ts";
import type { Sessions } from "./sessions.ts";

/** Options of {@link anonymousSessions}. */
export interface AnonymousSessionsOptions {
  /**
   * Signs the tokens, 32 bytes or more. With the same one sessions outlive a restart. Default: drawn anew.
   */
  readonly secret?: string;
  /** How long a token lasts, in s. Default 600. */
  readonly tokenSeconds?: number;
  /** Sessions that a device may begin a minute. Default 30. */
  readonly perMinute?: number;
  /** Default 100000. */
  readonly maxDevices?: number;
  /** Unix time in ms. */
  readonly now?: () => number;
}

/**
 * Sessions of devices that say their own names: for demos, and for networks where nobody lies. Still one
 * session a device: the newer fences the older, and who has another's name can take its place. Where that
 * matters use `enrolledSessions`.
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
      // Those are the names of Sedna's own clients here: a session of theirs would end what they do.
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

/** A member whose session counts, or why it does not. */
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

/** What is said of a token that counts for nothing. */
export function unauthorized(): { readonly rejected: "unauthorized"; readonly error: string } {
  return { rejected: "unauthorized", error: "expected the token of a session that lasts; got another" };
}

/** 64 random digits. */
export function randomSecret(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
