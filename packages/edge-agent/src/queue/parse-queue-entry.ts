import { WireError } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import type { QueueEntry, QueueMark } from "./queue-store.ts";

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown, what: string): Fields => {
  if (typeof value !== "object" || value === null)
    throw new WireError(`read ${what}: expected an object; got ${describeValue(value)}`);
  return value as Fields;
};
const text = (fields: Fields, name: string): string => {
  const value = fields[name];
  if (typeof value !== "string" || value === "")
    throw new WireError(`read ${name}: expected a string; got ${describeValue(value)}`);
  return value;
};
const number = (
  fields: Fields,
  { name, from = -Infinity }: { readonly name: string; readonly from?: number },
): number => {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < from)
    throw new WireError(
      `read ${name}: expected a finite number${from === -Infinity ? "" : ` from ${from} up`}; got ${describeValue(value)}`,
    );
  return value;
};

/** Parses a sequence, which is a safe integer from 0 up. */
export function parseSequence(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new WireError(`read a sequence: expected a whole number from 0 up; got ${describeValue(value)}`);
  return value as number;
}

/**
 * Parses a stored entry, from JSON or from a database.
 * @throws {WireError} If the value is not a valid entry.
 */
export function parseQueueEntry(value: unknown): QueueEntry {
  const fields = fieldsOf(value, "a queue entry");
  return {
    id: text(fields, "id"),
    sequence: parseSequence(fields["sequence"]),
    kind: text(fields, "kind"),
    priority: number(fields, { name: "priority" }),
    createdAt: number(fields, { name: "createdAt" }),
    queuedAtMs: number(fields, { name: "queuedAtMs" }),
    ttlMs: number(fields, { name: "ttlMs", from: 0 }),
    bytes: number(fields, { name: "bytes", from: 0 }),
  };
}

/**
 * Parses a stored mark.
 * @throws {WireError} If the value is not a valid mark.
 */
export function parseQueueMark(value: unknown): QueueMark {
  const fields = fieldsOf(value, "a queue mark");
  return {
    queueMs: number(fields, { name: "queueMs", from: 0 }),
    wallMs: number(fields, { name: "wallMs" }),
  };
}

/** The stored state of a queue store. */
export interface QueueState {
  readonly epoch: string;
  readonly lastSequence: number;
  readonly mark: QueueMark | undefined;
  /** `true` if the store was closed and nothing was written afterwards. */
  readonly closed: boolean;
}

/**
 * Parses the stored state of a queue store.
 * @throws {WireError} If the value is not a valid state.
 */
export function parseQueueState(value: unknown): QueueState {
  const fields = fieldsOf(value, "the state of a queue store");
  return {
    epoch: text(fields, "epoch"),
    lastSequence: parseSequence(fields["lastSequence"]),
    mark: fields["mark"] === undefined ? undefined : parseQueueMark(fields["mark"]),
    closed: fields["closed"] === true,
  };
}
