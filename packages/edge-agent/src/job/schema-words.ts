import * as z from "zod/mini";

// The message of each schema is the text after "expected" in an error.

/** A non-empty string. */
export const text = z.string("a text").check(z.minLength(1, "a text of at least one letter"));
/** A name that is safe in paths and URLs. */
export const name = z
  .string('letters, digits, ".", "_" and "-"')
  .check(z.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'letters, digits, ".", "_" and "-"'));
/** A URL with one of several protocols. */
export const url = (protocols: readonly string[], example: string) =>
  z
    .string(`a URL such as ${example}`)
    .check(
      z.refine(
        (value) => protocols.includes(/^([a-z]+):\/\/[^/]/.exec(value)?.[1] ?? "") && canParse(value),
        `a URL such as ${example}`,
      ),
    );
/**
 * An http or https URL without credentials, because messages and logs print these URLs. Credentials in a
 * camera's URL are masked instead.
 */
export const web = (example: string) =>
  url(["http", "https"], example).check(
    z.refine(
      (value) => !/^[a-z]+:\/\/[^/?#]*@/.test(value),
      "a URL without a user and password: set the token in its own field",
    ),
  );
/** An integer in a range. */
export const whole = (from: number, to: number) => {
  const words = `a whole number from ${from}${to === Infinity ? " up" : ` to ${to}`}`;
  return z
    .number(words)
    .check(z.refine((value) => Number.isInteger(value) && value >= from && value <= to, words));
};
/** A number above 0, up to a limit. */
export const above = (to: number) => {
  const words = `a number above 0, up to ${to}`;
  return z.number(words).check(z.refine((value) => value > 0 && value <= to, words));
};
/** One of several strings. */
export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, values.join(", "));
/** A boolean. */
export const yesNo = z.boolean("true or false");
/** A mapping with any keys. */
export const settings = z.record(z.string(), z.unknown(), "a mapping");
/** A mapping with exactly these keys, without unknown ones. */
export const map = <Shape extends z.core.$ZodShape>(shape: Shape) => z.strictObject(shape, "a mapping");
/**
 * An Ed25519 public key in base64. 32 bytes are 43 digits plus one padding character; the last digit is one
 * of 16 because its low bits are zero.
 */
export const publicKey = z
  .string("an Ed25519 public key: 32 bytes in base64")
  .check(z.regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "an Ed25519 public key: 32 bytes in base64"));

/** A bearer token. */
export const token = z.optional(
  z.string("a token").check(z.regex(/^[\w.~+/-]+=*$/, 'a token of letters, digits and "-._~+/"')),
);

function canParse(value: string): boolean {
  try {
    return new URL(value).href !== "";
  } catch {
    return false;
  }
}
