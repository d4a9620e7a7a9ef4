import type { LeadershipOptions } from "./platform.ts";

/** See the contract. Always becomes leader: the lock of the queue's directory excludes other processes. */
export async function becomeLeader({ signal }: LeadershipOptions): Promise<void> {
  signal.throwIfAborted();
}
