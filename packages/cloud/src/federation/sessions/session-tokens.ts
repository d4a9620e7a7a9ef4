import { sign, verify } from "hono/jwt";
import type { Member } from "./member.ts";

/** Options of {@link sessionTokens}. */
export interface SessionTokensOptions {
  /** At least 32 bytes as UTF-8. Whoever has the secret can impersonate any client. */
  readonly secret: string;
  readonly audience: string;
  readonly tokenSeconds: number;
  /** Returns the Unix time in ms. */
  readonly now: () => number;
}

/** Tokens that identify the member of a session; see {@link sessionTokens}. */
export interface SessionTokens {
  issue(member: Member): Promise<string>;
  /** Returns the member, or `undefined` if the token is forged, for another audience, or expired. */
  read(token: string): Promise<Member | undefined>;
}

const ALGORITHM = "HS256";

/**
 * Creates tokens as JWT. Any process that has the secret can read the tokens of another process. Source: RFC
 * 7519, through hono.
 */
export function sessionTokens({ secret, audience, tokenSeconds, now }: SessionTokensOptions): SessionTokens {
  if (new TextEncoder().encode(secret).length < 32)
    throw new RangeError("make session tokens: expected a secret of at least 32 bytes; got a shorter one");
  const seconds = (): number => Math.floor(now() / 1000);
  // Import the key once: an aggregator reads a token with every request.
  let imported: Promise<CryptoKey> | undefined;
  const key = (): Promise<CryptoKey> =>
    (imported ??= crypto.subtle.importKey(
      "raw",
      new TextEncoder().encode(secret),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign", "verify"],
    ));
  return {
    issue: async ({ client, epoch }) =>
      sign(
        { sub: client, aud: audience, iat: seconds(), exp: seconds() + tokenSeconds, epoch },
        await key(),
        ALGORITHM,
      ),
    async read(token) {
      try {
        // Check the times below, by this clock.
        const { sub, exp, epoch } = await verify(token, await key(), {
          alg: ALGORITHM,
          aud: audience,
          exp: false,
          iat: false,
          nbf: false,
        });
        if (
          typeof sub !== "string" ||
          !Number.isSafeInteger(epoch) ||
          typeof exp !== "number" ||
          exp <= seconds()
        )
          return undefined;
        return { client: sub, epoch: epoch as number };
      } catch {
        return undefined;
      }
    },
  };
}
