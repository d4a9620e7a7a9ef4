import { sign, verify } from "hono/jwt";
import type { Member } from "./member.ts";

/** Options of {@link sessionTokens}. */
export interface SessionTokensOptions {
  /** At least 32 bytes of it as text: who knows it can be anyone. */
  readonly secret: string;
  readonly audience: string;
  readonly tokenSeconds: number;
  /** Unix time in ms. */
  readonly now: () => number;
}

/** Tokens that say whose session it is; see {@link sessionTokens}. */
export interface SessionTokens {
  issue(member: Member): Promise<string>;
  /** Undefined for a token that is not ours, not for this audience, or over. */
  read(token: string): Promise<Member | undefined>;
}

const ALGORITHM = "HS256";

/**
 * Tokens as JWT: any process that has the secret can read what another has issued. Source: RFC 7519 through
 * hono.
 */
export function sessionTokens({ secret, audience, tokenSeconds, now }: SessionTokensOptions): SessionTokens {
  if (new TextEncoder().encode(secret).length < 32)
    throw new RangeError("make session tokens: expected a secret of at least 32 bytes; got a shorter one");
  const seconds = (): number => Math.floor(now() / 1000);
  // Imported once: an aggregator reads a token with every request.
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
        // The times are looked at below, by our own clock.
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
