import * as z from "zod/mini";

// The words of each schema are what a message says after "expected".

/** A text of at least one letter. */
export const text = z.string("a text").check(z.minLength(1, "a text of at least one letter"));
/** A name that is good in paths and addresses. */
export const name = z
  .string('letters, digits, ".", "_" and "-"')
  .check(z.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'letters, digits, ".", "_" and "-"'));
/** A URL of some protocols. */
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
 * A URL of http or https without a password. Messages and logs tell these addresses; a camera's, which tells
 * its password, is masked there.
 */
export const web = (example: string) =>
  url(["http", "https"], example).check(
    z.refine(
      (value) => !/^[a-z]+:\/\/[^/?#]*@/.test(value),
      "a URL without a user and password: a token has a setting of its own",
    ),
  );
/** A whole number. */
export const whole = (from: number, to: number) => {
  const words = `a whole number from ${from}${to === Infinity ? " up" : ` to ${to}`}`;
  return z
    .number(words)
    .check(z.refine((value) => Number.isInteger(value) && value >= from && value <= to, words));
};
/** A number above 0. */
export const above = (to: number) => {
  const words = `a number above 0, up to ${to}`;
  return z.number(words).check(z.refine((value) => value > 0 && value <= to, words));
};
/** One of some words. */
export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, values.join(", "));
/** True or false. */
export const yesNo = z.boolean("true or false");
/** A mapping of anything. */
export const settings = z.record(z.string(), z.unknown(), "a mapping");
/** A mapping of these keys and no others. */
export const map = <Shape extends z.core.$ZodShape>(shape: Shape) => z.strictObject(shape, "a mapping");
/** An Ed25519 public key. 32 bytes are 43 digits, the last of 16 that leave no bits over, and the filling. */
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
