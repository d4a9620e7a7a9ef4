import { SednaError } from "@sedna-js/core";

/** The session of a client. See {@link federationSession}. */
export interface FederationSession {
  /** Returns the current token. @throws {SednaError} `session-ended` before the first session begins. */
  token(): string;
  /** Requests a session and uses its token from then on. */
  begin<Grant extends { readonly token: string }>(ask: () => Promise<Grant>): Promise<Grant>;
  /**
   * Returns the error for a token that the aggregator does not know, or that a newer session replaced. The
   * newer session may be this client's own, even if its response was lost on the way; the client can then
   * recover by joining again.
   */
  ended(token: string, why: { readonly replaced: boolean; readonly action: string }): SednaError;
  forget(): string | undefined;
}

/**
 * Creates a holder of a client's session token that distinguishes the client's own sessions from those of
 * other devices.
 */
export function federationSession(): FederationSession {
  let current: string | undefined;
  /** Whether a session was requested whose result is not known yet. */
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
          `${action}: expected to be the latest session of this device; another one has begun, such as in another tab`,
          { code: "session-replaced" },
        );
      return new SednaError(`${action}: expected an active session; it has ended`, {
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
