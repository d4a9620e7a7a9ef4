import type { SessionRequest } from "@sedna-js/core/wire";
import type { Member } from "./member.ts";

/** Who may take part, and as whom. */
export interface Sessions {
  /**
   * A session for a device that proves who it is; the device's former session ends. Its epoch is above
   * `after`, the newest that its federation remembers.
   * @throws {SednaError} `cloud-refused` with what was expected.
   */
  grant(
    request: SessionRequest,
    options?: { readonly after?: number | undefined },
  ): Promise<Member & { readonly token: string; readonly expiresIn: number }>;
  /** Whose token it is; or why it is none that counts. */
  verify(
    token: string,
  ): Promise<Member | { readonly rejected: "unauthorized" | "session-replaced"; readonly error: string }>;
  /** Ends a session before its time. */
  end(member: Member): void;
}
