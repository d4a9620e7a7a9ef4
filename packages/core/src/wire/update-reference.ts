import { isFederationName } from "./federation-parsers.ts";
import { failField, fieldsOf, jsonOf } from "./read-fields.ts";

// Where weights travel through a store that both sides reach, as with Sedna's `aggDataPath`, the update's route takes, in
// place of an update's message, where that message was put.

/** Media type of {@link UpdateReference}, sent by PUT on the update's own route. */
export const UPDATE_REFERENCE_TYPE = "application/vnd.sedna.update-ref+json";

/** An update's message that lies in the weight store. */
export interface UpdateReference {
  /** Its key there, as {@link updateKey} makes it. */
  readonly key: string;
  /** Length of the message. */
  readonly bytes: number;
  /** SHA-256 of the message, 64 digits in lower case. */
  readonly sha256: string;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The key of an update. `id` is what the client drew for this one, so that nothing that was announced is overwritten.
 * @throws {RangeError} on a name, round or id that no key can have.
 */
export function updateKey({
  federation,
  round,
  id,
}: {
  readonly federation: string;
  readonly round: number;
  readonly id: string;
}): string {
  if (!isFederationName(federation) || !Number.isSafeInteger(round) || round < 0 || !ID.test(id)) {
    throw new RangeError(
      `name an update: expected a federation's name, a round and an id of 1 to 64 letters, digits, "-" and "_"; got ${JSON.stringify({ federation, round, id })}`,
    );
  }
  return `${federation}/updates/${round}/${id}`;
}

/**
 * The key of a federation's model.
 * @throws {RangeError} on a name or version that no key can have.
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
 * Where an update lies.
 * @throws {WireError} on anything else, and on a key that is not of this federation and round: no client names what is not its own to read.
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
    failField("an update's reference.key", { expected: `${start} and an id`, got: key });
  return {
    key,
    bytes: reference.whole("bytes", { least: 1 }),
    sha256: reference.text("sha256", {
      least: 64,
      most: 64,
      pattern: /^[0-9a-f]*$/,
      expected: "hexadecimal digits in lower case",
    }),
  };
}
