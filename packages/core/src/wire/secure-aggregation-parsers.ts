import { fieldsOf, jsonOf, failField, type Fields } from "./read-fields.ts";
import type {
  SecureKeys,
  SecureKeysTask,
  SecureMaskedTask,
  SecureSettings,
  SecureShare,
  SecureSharesResponse,
  SecureSharesTask,
  SecureUnmaskResponse,
  SecureUnmaskTask,
} from "./secure-aggregation.ts";

// The messages of both sides are checked equally, because neither side of a secure aggregation trusts the
// other.

const MAX_BYTES = 2 ** 26;
/** Maximum number of clients in one aggregation. */
const MAX_CLIENTS = 10_000;
/** Maximum number of neighbors of a client, because Shamir's shares are over bytes. */
const MAX_NEIGHBORS = 254;
const MAX_PARAMETERS = 2 ** 28;

/**
 * Parses the aggregator's message of phase `keys`.
 *
 * @throws {WireError} If the body is not such a message.
 */
export function parseSecureKeysTask(body: unknown): SecureKeysTask {
  const task = read(body, "a secure aggregation's keys");
  return { settings: readSettings(task.object("settings")) };
}

/**
 * Parses a client's keys.
 *
 * @throws {WireError} If the body is not a client's keys.
 */
export function parseSecureKeys(body: unknown): SecureKeys {
  return readKeys(jsonOf(body, { what: "a client's keys", maxBytes: 2 ** 16 }), "a client's keys");
}

/**
 * Parses the aggregator's message of phase `shares`, with unique keys in ascending order.
 *
 * @throws {WireError} If the body is not such a message.
 */
export function parseSecureSharesTask(body: unknown): SecureSharesTask {
  const task = read(body, "a secure aggregation's clients");
  const clients = task.list("clients", { least: 2, most: MAX_CLIENTS, read: readKeys });
  const stray = clients.findIndex(({ maskKey }, i) => i > 0 && clients[i - 1]!.maskKey >= maskKey);
  if (stray > 0)
    failField(`a secure aggregation's clients.clients[${stray}]`, {
      expected: "keys in ascending order, each once",
      got: clients[stray]!.maskKey,
    });
  return { settings: readSettings(task.object("settings")), clients };
}

/**
 * Parses a client's encrypted shares.
 *
 * @throws {WireError} If the body is not such a message.
 */
export function parseSecureSharesResponse(body: unknown): SecureSharesResponse {
  const answer = read(body, "sealed shares");
  const boxes = answer
    .list("boxes", {
      least: 1,
      most: MAX_NEIGHBORS,
      read: (value, where) => readBox(value, { where, side: "to" }),
    })
    .map(({ who, box }) => ({ to: who, box }));
  unique(
    boxes.map(({ to }) => to),
    "sealed shares.boxes",
  );
  return { commitment: base64(answer, { name: "commitment", bytes: 32 }), boxes };
}

/**
 * Parses the aggregator's message of phase `masked`.
 *
 * @throws {WireError} If the body is not such a message.
 */
export function parseSecureMaskedTask(body: unknown): SecureMaskedTask {
  const task = read(body, "shares of a secure aggregation");
  const boxes = task
    .list("boxes", { most: MAX_NEIGHBORS, read: (value, where) => readBox(value, { where, side: "from" }) })
    .map(({ who, box }) => ({ from: who, box }));
  unique(
    boxes.map(({ from }) => from),
    "shares of a secure aggregation.boxes",
  );
  return { present: indices(task, "present"), boxes };
}

/**
 * Parses the aggregator's message of phase `unmask`.
 *
 * @throws {WireError} If the body is not such a message.
 */
export function parseSecureUnmaskTask(body: unknown): SecureUnmaskTask {
  const task = read(body, "the survivors of a secure aggregation");
  return { survivors: indices(task, "survivors"), dropped: indices(task, "dropped") };
}

/**
 * Parses a client's shares of its neighbors' secrets.
 *
 * @throws {WireError} If the body is not such a message.
 */
export function parseSecureUnmaskResponse(body: unknown): SecureUnmaskResponse {
  const answer = read(body, "shares to unmask");
  const shares = (name: "seeds" | "keys"): SecureShare[] =>
    answer.list(name, { most: MAX_NEIGHBORS, read: readShare });
  const [seeds, keys] = [shares("seeds"), shares("keys")];
  unique(
    [...seeds, ...keys].map(({ of }) => of),
    "shares to unmask",
  );
  return { seeds, keys };
}

function readSettings(settings: Fields): SecureSettings {
  return {
    length: settings.whole("length", { least: 1, most: MAX_PARAMETERS }),
    clipRange: settings.number("clipRange", { least: 1e-9, most: 1e9 }),
    levels: settings.whole("levels", { least: 2, most: 2 ** 31 }),
    maxWeight: settings.whole("maxWeight", { least: 1, most: 2 ** 31 }),
    samplesPerWeight: settings.number("samplesPerWeight", { least: 1e-9, most: 1e15 }),
    minClients: settings.whole("minClients", { least: 2, most: MAX_CLIENTS }),
    attempt: settings.whole("attempt"),
  };
}

function readKeys(value: unknown, where: string): SecureKeys {
  const keys = fieldsOf(value, where);
  return {
    maskKey: base64(keys, { name: "maskKey", bytes: 32 }),
    sealKey: base64(keys, { name: "sealKey", bytes: 32 }),
    ...(keys.has("signature") && {
      signature: keys.text("signature", { most: 200, pattern: /^[\w+/=-]+$/, expected: "base64" }),
    }),
    ...(keys.has("device") && { device: keys.text("device") }),
  };
}

function readBox(
  value: unknown,
  { where, side }: { readonly where: string; readonly side: "to" | "from" },
): { readonly who: number; readonly box: string } {
  const box = fieldsOf(value, where);
  // Two shares of 33 bytes, and the 16 bytes of the authentication tag.
  return { who: box.whole(side, { most: MAX_CLIENTS - 1 }), box: base64(box, { name: "box", bytes: 82 }) };
}

function readShare(value: unknown, where: string): SecureShare {
  const share = fieldsOf(value, where);
  return {
    of: share.whole("of", { most: MAX_CLIENTS - 1 }),
    share: base64(share, { name: "share", bytes: 33 }),
  };
}

/** Reads indices in ascending order, so that a set of clients has only one form. */
function indices(fields: Fields, name: string): number[] {
  const list = fields.list(name, {
    most: MAX_CLIENTS,
    read: (value, where) =>
      Number.isInteger(value) && (value as number) >= 0 && (value as number) < MAX_CLIENTS
        ? (value as number)
        : failField(where, { expected: "a client's index", got: value }),
  });
  if (list.some((index, i) => i > 0 && list[i - 1]! >= index))
    failField(`${fields.where}.${name}`, { expected: "indices in ascending order, each once", got: list });
  return list;
}

function unique(list: readonly number[], where: string): void {
  if (new Set(list).size !== list.length) failField(where, { expected: "each client once", got: list });
}

/** Reads canonical base64: the same bytes have only one text, so that texts can be compared. */
function base64(fields: Fields, { name, bytes }: { readonly name: string; readonly bytes: number }): string {
  const given = fields.text(name, { least: 4, pattern: /^[A-Za-z0-9+/]+={0,2}$/, expected: "base64" });
  const right = given.length === Math.ceil(bytes / 3) * 4 && isCanonical(given, bytes);
  return right
    ? given
    : failField(`${fields.where}.${name}`, { expected: `${bytes} bytes in base64`, got: given });
}

function isCanonical(given: string, bytes: number): boolean {
  try {
    const binary = atob(given);
    return binary.length === bytes && btoa(binary) === given;
  } catch {
    return false;
  }
}

const read = (body: unknown, what: string): Fields =>
  fieldsOf(jsonOf(body, { what, maxBytes: MAX_BYTES }), what);
