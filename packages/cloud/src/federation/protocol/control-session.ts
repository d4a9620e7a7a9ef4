import { SednaError } from "@sedna-js/core";
import type { ServiceSocket } from "../../http/service.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** Options of {@link controlSession}. */
export interface ControlSessionOptions {
  readonly federation: Federation;
  readonly member: Member;
  /** Whose the session's token is now. */
  readonly verify: () => ReturnType<Sessions["verify"]>;
  readonly reject: (why: "unauthorized" | "session-replaced") => void;
  readonly recheckMs: number;
}

/**
 * While so much waits for a reader, it gets no further task: only the newest counts, and it comes when there
 * is room.
 */
const FULL_BYTES = 64 * 1024;

/**
 * Sends a member its task now and whenever it changes. The session is looked at before each task and every
 * `recheckMs`, so that one which was fenced or has ended hears nothing more. However fast tasks change, each
 * look sends only the newest.
 */
export function controlSession(
  socket: ServiceSocket,
  { federation, member, verify, reject, recheckMs }: ControlSessionOptions,
): { end(): void } {
  let ended = false;
  let sentSeq: number | undefined;
  let looking = false;
  let again = false;
  let recheck: unknown;

  const look = async (): Promise<void> => {
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
  const update = (): void => {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    clearTimeout(recheck);
    look()
      .catch((error: unknown) => {
        const code = error instanceof SednaError ? error.code : undefined;
        if (code === "session-replaced") reject("session-replaced");
        else if (code === "session-ended") reject("unauthorized");
        else socket.close(1011, "the server failed");
      })
      .finally(() => {
        looking = false;
        if (ended) return;
        if (!again) return void (recheck = setTimeout(update, recheckMs));
        again = false;
        update();
      });
  };

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
