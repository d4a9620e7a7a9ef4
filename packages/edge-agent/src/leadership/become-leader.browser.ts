import { SednaError } from "@sedna-js/core";
import type { LeadershipOptions } from "./platform.ts";

/**
 * See the contract. Uses a Web Lock, which the browser grants to the next page when this one ends for any
 * reason.
 */
export async function becomeLeader({ name, signal }: LeadershipOptions): Promise<void> {
  signal.throwIfAborted();
  if (!("locks" in navigator))
    throw new SednaError(
      `become leader of ${name}: expected Web Locks, which browsers provide only to secure pages (https or localhost); got none`,
      { code: "unsupported-platform" },
    );
  await new Promise<void>((resolve, reject) => {
    const hold = async (): Promise<void> => {
      // Granted and aborted at the same moment.
      signal.throwIfAborted();
      resolve();
      await new Promise<void>((release) => signal.addEventListener("abort", () => release(), { once: true }));
    };
    navigator.locks
      .request(name, { signal }, hold)
      .catch((error: unknown) => reject(signal.aborted ? signal.reason : error));
  });
}
