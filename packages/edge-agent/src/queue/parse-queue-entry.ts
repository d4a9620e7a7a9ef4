import { type Fields, fieldsOf } from "@sedna-js/core/wire";
import type { QueueEntry, QueueMark } from "./queue-store.ts";

/** A stored text may have any length and any characters: a device may have any name. */
const STORED_TEXT = { most: Infinity, pattern: /^[^]*$/, expected: "of any characters" };
const ANY_NUMBER = { least: -Number.MAX_VALUE };

/**
 * Parses a stored entry, from JSON or from a database.
 * @throws {WireError} If the value is not a valid entry.
 */
export function parseQueueEntry(value: unknown): QueueEntry {
  const entry = fieldsOf(value, "a queue entry");
  return {
    id: entry.text("id", STORED_TEXT),
    sequence: entry.whole("sequence"),
    kind: entry.text("kind", STORED_TEXT),
    ...(entry.has("privacyKind") && { privacyKind: entry.text("privacyKind", STORED_TEXT) }),
    priority: entry.number("priority", ANY_NUMBER),
    createdAt: entry.number("createdAt", ANY_NUMBER),
    queuedAtMs: entry.number("queuedAtMs", ANY_NUMBER),
    ttlMs: entry.number("ttlMs"),
    bytes: entry.number("bytes"),
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
  const state = fieldsOf(value, "the state of a queue store");
  return {
    epoch: state.text("epoch", STORED_TEXT),
    lastSequence: state.whole("lastSequence"),
    mark: state.has("mark") ? readMark(state.object("mark")) : undefined,
    closed: state.value("closed") === true,
  };
}

function readMark(mark: Fields): QueueMark {
  return { queueMs: mark.number("queueMs"), wallMs: mark.number("wallMs", ANY_NUMBER) };
}
