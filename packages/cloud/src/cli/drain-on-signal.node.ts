import { messageOf } from "@sedna-js/core/errors";
import type { Logger } from "../http/service.ts";

/**
 * Ends the process on SIGTERM or SIGINT after `served` has closed. A second signal ends the process at once.
 */
export function drainOnSignal(served: { close(): Promise<void> }, logger: Logger): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, "draining; a second signal ends the process at once");
    served.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error: messageOf(error) }, "the shutdown failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
}
