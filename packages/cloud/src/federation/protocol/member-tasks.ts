import type { FederationTask } from "@sedna-js/core/wire";

/** The tasks of all members; see {@link createMemberTasks}. */
export interface MemberTasks {
  /** The task of a client now. */
  current(client: string): FederationTask;
  /** Told whenever it is another one; returns what ends that. */
  onTask(client: string, listener: (task: FederationTask) => void): () => void;
  /** Something happened that may have changed one client's task, or everyone's. */
  refresh(client?: string): void;
  /** How many listen for a client, or for all. */
  listeners(client?: string): number;
  /** Forgets a client, once nobody listens for it any more. */
  forget(client: string): void;
}

interface Entry {
  key: string;
  seq: number;
  /** It is gone; who listened for it is the last to know. */
  isGone: boolean;
  readonly listeners: Set<(task: FederationTask) => void>;
}

/**
 * Numbers tasks, so that who polls can say what it knows, and tells those who listen. A task is another one
 * when more than the time that is left has changed. Numbers begin at the clock, so that they go on growing
 * when the server starts anew.
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
   * Whoever finds that it is another one tells all who listen: a question must not use up what they wait for.
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
