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

// What an aggregator says while rounds go by. As in federation-parsers.ts: text, bytes, or what JSON.parse gave.

const MAX_SMALL_BYTES = 2 ** 16;
/** A secure sum's message for one client: the shares of a thousand others. */
const MAX_TASK_BYTES = 2 ** 22;
/** A status of very many clients. */
const MAX_STATUS_BYTES = 2 ** 24;
const MAX_CLIENTS = 100_000;
const MAX_HISTORY = 1000;
/** The longest that a timer can wait; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The phases of a secure sum, in their order. */
export const SECURE_PHASES = ["keys", "shares", "masked", "unmask"] as const satisfies readonly SecurePhase[];

/** All that an update is refused for, in the order in which it is asked. */
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

/** What a client is told to do. A secure sum's message is read by that. @throws {WireError} on anything else. */
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

/** @throws {WireError} on anything but the receipt of an update. */
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

/** @throws {WireError} on anything but the refusal of an update. */
export function parseUpdateRejection(body: unknown): UpdateRejection {
  const rejected = fieldsOf(
    jsonOf(body, { what: "an update's refusal", maxBytes: MAX_SMALL_BYTES }),
    "an update's refusal",
  );
  return {
    error: rejected.text("error", { least: 0, most: 10_000, pattern: /^/, expected: "of any kind" }),
    code: rejected.oneOf("code", REJECTION_CODES),
    ...(rejected.has("round") && { round: rejected.whole("round") }),
  };
}

/** @throws {WireError} on anything but how a federation stands. */
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
