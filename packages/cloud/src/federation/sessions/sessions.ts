import type { SessionRequest } from "@sedna-js/core/wire";
import type { Member } from "./member.ts";

/** Decides which devices may participate, and under which name. */
export interface Sessions {
  /**
   * Grants a session to a device that proves its identity; the device's former session ends. The new epoch is
   * above `after`, the latest that its federation remembers.
   * @throws {SednaError} `cloud-refused`, with the expectation, if the device is rejected.
   */
  grant(
    request: SessionRequest,
    options?: { readonly after?: number | undefined },
  ): Promise<Member & { readonly token: string; readonly expiresIn: number }>;
  /** Returns the member of a token, or the reason why the token is invalid. */
  verify(
    token: string,
  ): Promise<Member | { readonly rejected: "unauthorized" | "session-replaced"; readonly error: string }>;
  /** Ends a session early. */
  end(member: Member): void;
}
