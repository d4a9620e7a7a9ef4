import { messageOf } from "@sedna-js/core/errors";
import type { Logger } from "../http/service.ts";

/**
 * Ends the process when it is told to, by SIGTERM or SIGINT, after what it serves has drained; told twice, at
 * once.
 */
export function drainOnSignal(served: { close(): Promise<void> }, logger: Logger): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, "draining; once more ends at once");
    served.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error: messageOf(error) }, "could not end as it should");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
}
