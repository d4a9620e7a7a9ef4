import type { LeadershipOptions } from "./platform.ts";

/** See the contract. Always the leader: the lock of the queue's directory keeps other processes out. */
export async function becomeLeader({ signal }: LeadershipOptions): Promise<void> {
  signal.throwIfAborted();
}
