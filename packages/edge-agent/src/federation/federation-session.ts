import { SednaError } from "@sedna-js/core";

/** Which session a client has; see {@link federationSession}. */
export interface FederationSession {
  /** The token to send now. @throws {SednaError} `session-ended` before the first one. */
  token(): string;
  /** Asks for a session; the token that comes is used from then on. */
  begin<Grant extends { readonly token: string }>(ask: () => Promise<Grant>): Promise<Grant>;
  /**
   * What it means when the aggregator does not know a token, or knows a newer one. A newer session that we asked for
   * ourselves, even one whose answer was lost on the way, is not another device's: joining again heals it.
   */
  ended(token: string, why: { readonly replaced: boolean; readonly action: string }): SednaError;
  forget(): string | undefined;
}

/** Keeps the token of a client's session, and knows its own sessions from those of others. */
export function federationSession(): FederationSession {
  let current: string | undefined;
  /** A session was asked for, and what came of it is not known. */
  let uncertain = false;
  return {
    token() {
      if (current === undefined)
        throw new SednaError("take part in a federation: expected a session; got none, so join first", {
          code: "session-ended",
        });
      return current;
    },
    async begin(ask) {
      uncertain = true;
      const grant = await ask();
      current = grant.token;
      uncertain = false;
      return grant;
    },
    ended(token, { replaced, action }) {
      if (replaced && token === current && !uncertain)
        return new SednaError(
          `${action}: expected to be the newest session of this device; another one has begun, such as in another tab`,
          { code: "session-replaced" },
        );
      return new SednaError(`${action}: expected a session that lasts; it has ended`, {
        code: "session-ended",
      });
    },
    forget() {
      const token = current;
      current = undefined;
      return token;
    },
  };
}
