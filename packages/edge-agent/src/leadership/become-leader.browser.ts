import { SednaError } from "@sedna-js/core";
import type { LeadershipOptions } from "./platform.ts";

/**
 * See the contract. A Web Lock, which the browser gives to the next page when this one ends, however it ends.
 */
export async function becomeLeader({ name, signal }: LeadershipOptions): Promise<void> {
  signal.throwIfAborted();
  if (!("locks" in navigator))
    throw new SednaError(
      `lead ${name}: expected Web Locks, which a page has that came over https or from localhost; got none`,
      { code: "unsupported-platform" },
    );
  await new Promise<void>((resolve, reject) => {
    const hold = async (): Promise<void> => {
      // Granted and given up in the same moment.
      signal.throwIfAborted();
      resolve();
      await new Promise<void>((release) => signal.addEventListener("abort", () => release(), { once: true }));
    };
    navigator.locks
      .request(name, { signal }, hold)
      .catch((error: unknown) => reject(signal.aborted ? signal.reason : error));
  });
}
