import { coalesce } from "@sedna-js/core/async";
import { SednaError } from "@sedna-js/core";
import type { ServiceSocket } from "../../http/service.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** Options of {@link controlSession}. */
export interface ControlSessionOptions {
  readonly federation: Federation;
  readonly member: Member;
  /** Returns the member that the session's token identifies now. */
  readonly verify: () => ReturnType<Sessions["verify"]>;
  readonly reject: (why: "unauthorized" | "session-replaced") => void;
  readonly recheckMs: number;
}

/**
 * Send no task while more bytes than this are buffered. Only the latest task matters, and a later check sends
 * it.
 */
const FULL_BYTES = 64 * 1024;

/**
 * Sends a member its task now and after each change. Verifies the session before each task and every
 * `recheckMs`, so that a fenced or ended session receives nothing more. If tasks change faster than the
 * session is verified, only the latest task is sent.
 */
export function controlSession(
  socket: ServiceSocket,
  { federation, member, verify, reject, recheckMs }: ControlSessionOptions,
): { end(): void } {
  let ended = false;
  let sentSeq: number | undefined;
  let recheck: unknown;

  const look = async (): Promise<void> => {
    if (ended) return;
    const now = await verify();
    if (ended) return;
    if ("rejected" in now) return reject(now.rejected);
    if (now.client !== member.client || now.epoch !== member.epoch) return reject("session-replaced");
    if (socket.bufferedAmount > FULL_BYTES) return;
    const task = federation.task(member);
    if (task.seq === sentSeq) return;
    sentSeq = task.seq;
    socket.send(JSON.stringify(task));
  };
  const update = coalesce(async () => {
    clearTimeout(recheck);
    try {
      await look();
    } catch (error) {
      const code = error instanceof SednaError ? error.code : undefined;
      if (code === "session-replaced") reject("session-replaced");
      else if (code === "session-ended") reject("unauthorized");
      else socket.close(1011, "the server failed");
    }
    if (!ended) recheck = setTimeout(update, recheckMs);
  });

  const unsubscribe = federation.onTask(member, update);
  update();
  return {
    end() {
      ended = true;
      clearTimeout(recheck);
      unsubscribe();
    },
  };
}
