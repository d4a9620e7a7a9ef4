import type { FederationTask } from "@sedna-js/core/wire";

/** The tasks of all members; see {@link createMemberTasks}. */
export interface MemberTasks {
  /** Returns the current task of a client. */
  current(client: string): FederationTask;
  /** Calls the listener whenever the task changes. Returns a function that unsubscribes. */
  onTask(client: string, listener: (task: FederationTask) => void): () => void;
  /** Recomputes the task of one client, or of all clients, after an event. */
  refresh(client?: string): void;
  /** Returns the number of listeners of a client, or of all clients. */
  listeners(client?: string): number;
  /** Removes a client once it has no listener. */
  forget(client: string): void;
}

interface Entry {
  key: string;
  seq: number;
  /** True if the client has left; its last listener removes the entry. */
  isGone: boolean;
  readonly listeners: Set<(task: FederationTask) => void>;
}

/**
 * Creates the store of tasks. It numbers tasks, so that a polling client can state which task it knows, and
 * notifies listeners. A task is a new one if anything except the remaining time has changed. Numbers start at
 * the clock, so that they keep increasing after a server restart.
 */
export function createMemberTasks({
  taskFor,
  now,
}: {
  readonly taskFor: (client: string, seq: number) => FederationTask;
  readonly now: () => number;
}): MemberTasks {
  const entries = new Map<string, Entry>();

  /**
   * Computes the task. If it has changed, notifies all listeners, even if a poll finds the change: a poll
   * must not consume what listeners wait for.
   */
  const look = (client: string): { readonly task: FederationTask; readonly entry: Entry } => {
    let entry = entries.get(client);
    if (!entry) {
      entry = { key: "", seq: Math.floor(now()), isGone: false, listeners: new Set() };
      entries.set(client, entry);
    }
    const task = taskFor(client, entry.seq);
    const key = keyOf(task);
    if (key === entry.key) return { task, entry };
    entry.key = key;
    entry.seq += 1;
    const renumbered = { ...task, seq: entry.seq };
    for (const listener of Array.from(entry.listeners)) listener(renumbered);
    return { task: renumbered, entry };
  };

  return {
    current(client) {
      const { task, entry } = look(client);
      entry.isGone = false;
      return task;
    },
    onTask(client, listener) {
      const { entry } = look(client);
      entry.isGone = false;
      entry.listeners.add(listener);
      return () => {
        entry.listeners.delete(listener);
        if (entry.isGone && entry.listeners.size === 0 && entries.get(client) === entry)
          entries.delete(client);
      };
    },
    refresh(client) {
      for (const name of client === undefined ? Array.from(entries.keys()) : [client])
        if (entries.has(name)) look(name);
    },
    listeners(client) {
      const asked = client === undefined ? entries.values() : [entries.get(client)];
      let count = 0;
      for (const entry of asked) count += entry?.listeners.size ?? 0;
      return count;
    },
    forget(client) {
      const entry = entries.get(client);
      if (entry) entry.isGone = true;
      if (entry?.listeners.size === 0) entries.delete(client);
    },
  };
}

function keyOf(task: FederationTask): string {
  switch (task.kind) {
    case "wait":
    case "done":
      return `${task.kind} ${task.round} ${task.modelVersion}`;
    case "train":
      return `${task.kind} ${task.round} ${task.modelVersion} ${task.accepted}`;
    case "secure":
      return `${task.kind} ${task.round} ${task.modelVersion} ${task.phase} ${JSON.stringify(task.message)}`;
    default:
      return task satisfies never;
  }
}
