import { isFederationName } from "./federation-parsers.ts";
import { failField, fieldsOf, hexText, jsonOf } from "./read-fields.ts";

// If weights are sent through a store that both sides can access, as with Sedna's `aggDataPath`, the route of
// an update receives the location of the update message instead of the message.

/** Media type of {@link UpdateReference}, sent by PUT to the route of the update. */
export const UPDATE_REFERENCE_TYPE = "application/vnd.sedna.update-ref+json";

/** Reference to an update message in the weight store. */
export interface UpdateReference {
  /** Key in the store, as returned by {@link updateKey}. */
  readonly key: string;
  /** Size of the message, in bytes. */
  readonly bytes: number;
  /** SHA-256 of the message: 64 hexadecimal digits in lower case. */
  readonly sha256: string;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Options of {@link updateKey}. */
interface UpdateKeyOptions {
  readonly federation: string;
  readonly round: number;
  readonly id: string;
}

/**
 * Returns the key of an update. The client draws `id` for each update, so that no announced update is
 * overwritten.
 *
 * @throws {RangeError} If a key cannot contain the name, the round or the ID.
 */
export function updateKey({ federation, round, id }: UpdateKeyOptions): string {
  if (!isFederationName(federation) || !Number.isSafeInteger(round) || round < 0 || !ID.test(id)) {
    throw new RangeError(
      `name an update: expected a federation's name, a round and an id of 1 to 64 letters, digits, "-" and "_"; got ${JSON.stringify({ federation, round, id })}`,
    );
  }
  return `${federation}/updates/${round}/${id}`;
}

/**
 * Returns the key of a federation's model.
 *
 * @throws {RangeError} If a key cannot contain the name or the version.
 */
export function modelKey({
  federation,
  version,
}: {
  readonly federation: string;
  readonly version: number;
}): string {
  if (!isFederationName(federation) || !Number.isSafeInteger(version) || version < 0) {
    throw new RangeError(
      `name a model: expected a federation's name and a version; got ${JSON.stringify({ federation, version })}`,
    );
  }
  return `${federation}/models/${version}`;
}

/**
 * Parses a reference to an update.
 *
 * @throws {WireError} If the body is not a reference, or the key is not of this federation and round: a
 * client must not refer to the data of others.
 */
export function parseUpdateReference(
  body: unknown,
  { federation, round }: { readonly federation: string; readonly round: number },
): UpdateReference {
  const reference = fieldsOf(
    jsonOf(body, { what: "an update's reference", maxBytes: 4096 }),
    "an update's reference",
  );
  const key = reference.text("key");
  const start = `${federation}/updates/${round}/`;
  if (!key.startsWith(start) || !ID.test(key.slice(start.length)))
    failField("an update's reference.key", { expected: `${start} followed by an id`, got: key });
  return {
    key,
    bytes: reference.whole("bytes", { least: 1 }),
    sha256: reference.text("sha256", hexText(32)),
  };
}
