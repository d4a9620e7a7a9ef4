/** A destination for log lines. A pino logger is assignable to it. */
export interface EventLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Options of {@link createEventLog}. */
export interface EventLogOptions {
  readonly logger: EventLogger;
  /** Minimum interval between warnings of one type and reason, in ms. Default 10000. */
  readonly everyMs?: number;
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
}

/** Events that are logged at debug level only, because they come with every sample. */
const usual = new Set(["item-queued", "item-sent", "report-sent"]);
const bad =
  /-(failed|rejected|rolled-back|postponed|dropped|lost|missing|damaged|degraded|paused|refused|not-kept|unknown)$/;

/**
 * Creates a listener that writes events to a log. Failures are logged as warnings, at most one per type and
 * reason in `everyMs`, with the number of omitted ones, so that an unreachable cloud or a full queue does not
 * fill the disk of an unattended device.
 */
export function createEventLog({
  logger,
  everyMs = 10_000,
  now = () => performance.now(),
}: EventLogOptions): (event: { readonly type: string }) => void {
  const kinds = new Map<string, { at: number; leftOut: number }>();
  return (event) => {
    const { type, ...fields } = event as { readonly type: string; readonly reason?: unknown };
    if (usual.has(type)) return logger.debug(fields, type);
    if (!bad.test(type)) return logger.info(fields, type);
    // Types and reasons are closed sets, so this map stays small.
    const kind = `${type} ${typeof fields.reason === "string" ? fields.reason : ""}`;
    const last = kinds.get(kind);
    if (last && now() - last.at < everyMs) return void last.leftOut++;
    kinds.set(kind, { at: now(), leftOut: 0 });
    logger.warn(last && last.leftOut > 0 ? { ...fields, leftOut: last.leftOut } : fields, type);
  };
}
