import { SednaError } from "@sedna-js/core";
import { allClients, getClient, type FederationClient } from "@sedna-js/core/federation";
import type { Timers } from "../timers.ts";
import type { JoiningMember } from "./federation.ts";
import type { Rounds } from "./rounds/create-rounds.ts";
import type { Member } from "./sessions/member.ts";
import { createPresence } from "./sessions/presence.ts";

/** Options of {@link createMembers}. */
export interface MembersOptions {
  readonly rounds: Rounds;
  /** Silence after which a client counts as absent, in ms. */
  readonly absentMs: number;
  readonly now: () => number;
  readonly timers: Timers;
  /** True while a connection of the client is open: it is present however long it is silent. */
  readonly isConnected: (client: string) => boolean;
  /** Called when a client has left or counts as absent. */
  readonly onLeft: (client: string) => void;
}

/** The clients of a federation and their sessions; created by {@link createMembers}. */
export interface Members {
  /** Reads the clients that the log knows. To be called once the rounds have started. */
  restore(): void;
  find(client: string): FederationClient | undefined;
  join(member: JoiningMember): void;
  /** Marks a client as gone; with an epoch, only if that session is its newest. */
  leave(client: string, epoch?: number): void;
  /**
   * Marks the client as present. A client that timed out rejoins.
   *
   * @throws {SednaError} `session-ended` If the session is unknown, or its client holds an outdated plan.
   * @throws {SednaError} `session-replaced` If the client has a newer session.
   */
  require(member: Member): void;
  close(): void;
}

/** Tracks which clients take part: by their sessions' epochs, and by when they were last heard from. */
export function createMembers(options: MembersOptions): Members {
  const { rounds, absentMs, now, timers, isConnected, onLeft } = options;
  /**
   * Sessions from before a restart that changed the plan: what their clients would send is malformed through
   * no fault of theirs.
   */
  const stalePlanSessions = new Map<string, number>();
  const find = (client: string): FederationClient | undefined => getClient(rounds.state.clients, client);
  const presence = createPresence({
    absentMs,
    now,
    timers,
    isHeld: isConnected,
    onAbsent: (client) => leave(client),
  });

  const leave = (client: string, epoch?: number): void => {
    const known = find(client);
    if (!known || (epoch !== undefined && known.epoch !== epoch)) return;
    presence.forget(client);
    if (known.present) rounds.dispatch({ type: "left", at: now(), client, epoch: known.epoch });
    onLeft(client);
  };

  const rejected = (expected: string, got: string, code: "session-ended" | "session-replaced"): SednaError =>
    new SednaError(`take part: expected ${expected}; got ${got}`, { code });

  return {
    restore() {
      for (const known of allClients(rounds.state.clients)) {
        if (known.present) presence.seen(known.client);
        if (rounds.planChanged) stalePlanSessions.set(known.client, known.epoch);
      }
    },
    find,
    join({ client, epoch, kind, numSamples, resources }) {
      rounds.dispatch({ type: "joined", at: now(), client, kind, epoch, numSamples, resources });
      stalePlanSessions.delete(client);
      presence.seen(client);
    },
    leave,
    require({ client, epoch }) {
      const known = find(client);
      if (!known || epoch > known.epoch)
        throw rejected("a client that has joined", "another", "session-ended");
      if (stalePlanSessions.get(client) === epoch)
        throw rejected(
          "a client that knows the plan",
          "one that joined before the plan was changed",
          "session-ended",
        );
      if (epoch < known.epoch)
        throw rejected("the newest session of the client", "an older one", "session-replaced");
      presence.seen(client);
      if (known.present) return;
      const { kind, numSamples, resources } = known;
      rounds.dispatch({ type: "joined", at: now(), client, kind, epoch, numSamples, resources });
    },
    close: () => presence.close(),
  };
}
