import type {
  FederationClientStatus,
  FederationStatus,
  FederationTask,
  RoundSummary,
  SecurePhase,
  UpdateReceipt,
  RejectionCode,
  UpdateRejection,
} from "./federation.ts";
import { readPlan } from "./federation-parsers.ts";
import { checkNames, fieldsOf, jsonOf, type Fields } from "./read-fields.ts";

// Messages of an aggregator during rounds. As in federation-parsers.ts, each parser takes text, bytes, or a
// result of JSON.parse.

const MAX_SMALL_BYTES = 2 ** 16;
/** Enough for a message of secure aggregation to one client: the shares of a thousand other clients. */
const MAX_TASK_BYTES = 2 ** 22;
/** Enough for the status of very many clients. */
const MAX_STATUS_BYTES = 2 ** 24;
const MAX_CLIENTS = 100_000;
const MAX_HISTORY = 1000;
/** Longest timer that engines support; a longer one would fire immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The phases of secure aggregation, in order. */
export const SECURE_PHASES = ["keys", "shares", "masked", "unmask"] as const satisfies readonly SecurePhase[];

/** The codes of rejected updates, in the order in which they are checked. */
export const REJECTION_CODES = [
  "unauthorized",
  "session-replaced",
  "quarantined",
  "not-selected",
  "wrong-round",
  "round-closed",
  "too-long",
  "wrong-length",
  "wrong-digest",
  "wrong-shape",
  "not-finite",
  "norm-too-large",
  "wrong-weight",
  "duplicate",
] as const satisfies readonly RejectionCode[];

/**
 * Parses the task of a client. The message of a secure aggregation is left to its own parser.
 *
 * @throws {WireError} If the body is not a task.
 */
export function parseFederationTask(body: unknown): FederationTask {
  const task = fieldsOf(jsonOf(body, { what: "a task", maxBytes: MAX_TASK_BYTES }), "a task");
  const kind = task.oneOf("kind", ["wait", "train", "secure", "done"]);
  const where = {
    seq: task.whole("seq"),
    round: task.whole("round"),
    modelVersion: task.whole("modelVersion"),
  };
  switch (kind) {
    case "wait":
      return { kind, ...where, retryAfterMs: task.number("retryAfterMs", { most: MAX_TIMER_MS }) };
    case "train":
      return { kind, ...where, remainingMs: readRemaining(task), accepted: task.flag("accepted") };
    case "secure":
      return {
        kind,
        ...where,
        remainingMs: readRemaining(task),
        phase: task.oneOf("phase", SECURE_PHASES),
        message: checkNames(task.value("message"), { where: "a task.message" }),
      };
    case "done":
      return { kind, ...where };
    default:
      return kind satisfies never;
  }
}

/**
 * Parses the receipt of an update.
 *
 * @throws {WireError} If the body is not the receipt of an update.
 */
export function parseUpdateReceipt(body: unknown): UpdateReceipt {
  const receipt = fieldsOf(
    jsonOf(body, { what: "an update's receipt", maxBytes: MAX_SMALL_BYTES }),
    "an update's receipt",
  );
  return {
    round: receipt.whole("round"),
    accepted: receipt.flag("accepted"),
    ...(receipt.has("duplicate") && { duplicate: receipt.flag("duplicate") }),
  };
}

/**
 * Parses the rejection of an update.
 *
 * @throws {WireError} If the body is not the rejection of an update.
 */
export function parseUpdateRejection(body: unknown): UpdateRejection {
  const rejected = fieldsOf(
    jsonOf(body, { what: "an update's rejection", maxBytes: MAX_SMALL_BYTES }),
    "an update's rejection",
  );
  return {
    error: rejected.text("error", { least: 0, most: 10_000, pattern: /^/, expected: "of any kind" }),
    code: rejected.oneOf("code", REJECTION_CODES),
    ...(rejected.has("round") && { round: rejected.whole("round") }),
  };
}

/**
 * Parses the status of a federation.
 *
 * @throws {WireError} If the body is not the status of a federation.
 */
export function parseFederationStatus(body: unknown): FederationStatus {
  const status = fieldsOf(
    jsonOf(body, { what: "a federation's status", maxBytes: MAX_STATUS_BYTES }),
    "a federation's status",
  );
  const privacy = status.has("privacy") ? status.object("privacy") : undefined;
  return {
    plan: readPlan(status.object("plan")),
    state: status.oneOf("state", ["waiting", "running", "done"]),
    round: status.whole("round"),
    modelVersion: status.whole("modelVersion"),
    ...(status.has("remainingMs") && { remainingMs: readRemaining(status) }),
    clients: status.list("clients", { most: MAX_CLIENTS, read: readClient }),
    history: status.list("history", { most: MAX_HISTORY, read: readSummary }),
    ...(privacy && {
      privacy: {
        epsilon: privacy.number("epsilon"),
        delta: privacy.number("delta", { most: 1 }),
        noiseMultiplier: privacy.number("noiseMultiplier"),
      },
    }),
  };
}

function readClient(value: unknown, where: string): FederationClientStatus {
  const client = fieldsOf(value, where);
  return {
    id: client.whole("id"),
    state: client.oneOf("state", ["idle", "training", "accepted", "dropped", "quarantined", "left"]),
    kind: client.oneOf("kind", ["sedna-js", "sedna-v1"]),
    rounds: client.whole("rounds"),
    strikes: client.whole("strikes"),
  };
}

function readSummary(value: unknown, where: string): RoundSummary {
  const summary = fieldsOf(value, where);
  return {
    round: summary.whole("round"),
    outcome: summary.oneOf("outcome", ["aggregated", "abandoned"]),
    selected: summary.whole("selected"),
    accepted: summary.whole("accepted"),
    rejected: summary.whole("rejected"),
    totalSamples: summary.number("totalSamples"),
    durationMs: summary.number("durationMs"),
    bytes: summary.whole("bytes"),
    ...(summary.has("loss") && { loss: summary.number("loss", { least: -Number.MAX_VALUE }) }),
    ...(summary.has("accuracy") && { accuracy: summary.number("accuracy", { most: 1 }) }),
    ...(summary.has("epsilon") && { epsilon: summary.number("epsilon") }),
  };
}

const readRemaining = (fields: Fields): number => fields.number("remainingMs", { most: MAX_TIMER_MS });
