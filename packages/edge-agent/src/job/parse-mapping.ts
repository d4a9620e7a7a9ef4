import { WireError } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import type { core } from "zod/mini";

/** Options of the job parsers. */
export interface ParseJobOptions {
  /** Name of the job in messages. Default `the job`. */
  readonly from?: string;
  /** Environment in which to look up `${NAME}`. Default: empty. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The rules of a kind of job. */
export interface MappingRules<Job> {
  /** Schema of the job, which leaves the parts in {@link MappingRules.kinds} unchecked. */
  readonly schema: core.$ZodType;
  /** Schemas of the parts that are one of several kinds, by the key that identifies the kind. */
  readonly kinds: Readonly<Record<string, Readonly<Record<string, core.$ZodType>>>>;
  /** Paths of secret values. A secret may be read from the environment and is never printed. */
  readonly secrets: readonly string[];
  /** Reports fields that are valid alone but contradict each other. */
  readonly contradictions: (job: Job, say: Say) => void;
}

/** Reports what was expected at a path, and what was found. */
export type Say = (path: Path, expected: string) => void;

type Path = readonly PropertyKey[];
type Schema = core.$ZodType & {
  readonly safeParse: (value: unknown) => {
    readonly success: boolean;
    readonly data?: unknown;
    readonly error?: { readonly issues: readonly core.$ZodIssue[] };
  };
};

/**
 * Parses a job from the value of its YAML or JSON. Unknown keys are rejected, because a misspelled setting
 * would otherwise be ignored silently.
 *
 * @throws {WireError} If the job is invalid, with a line per problem: the path, what was expected, and what
 * was found.
 */
export function parseMapping<Job>(
  value: unknown,
  { rules, from = "the job", environment = {} }: ParseJobOptions & { readonly rules: MappingRules<Job> },
): Job {
  // Keep the first problem of each path: a secret that is missing in the environment need not be reported as
  // invalid too.
  const told = new Map<string, string>();
  const say = (path: Path, expected: string): void => {
    const place = [...path].map(String).join(".") || "the whole";
    if (!told.has(place)) told.set(place, `read ${from}: ${place}: ${expected}`);
  };
  const given = filledIn(value, { environment, say, secrets: rules.secrets });

  const part = (schema: core.$ZodType, at: Path): unknown => {
    const found = valueAt(given, at);
    const parsed = (schema as Schema).safeParse(found);
    // Problems of parts with several kinds are reported below.
    for (const issue of parsed.error?.issues.filter(
      ({ path }) => at.length > 0 || path.length !== 1 || !Object.hasOwn(rules.kinds, String(path[0])),
    ) ?? [])
      tellIssue(issue, { at, found, say, rules });
    return parsed.data;
  };
  const kind = (schemas: Readonly<Record<string, core.$ZodType>>, at: string): unknown => {
    const found = valueAt(given, [at]);
    const names = Object.keys(schemas);
    if (!isMapping(found))
      return say([at], `expected a mapping with one of ${names.join(", ")}; got ${describeValue(found)}`);
    const told = names.filter((name) => Object.hasOwn(found, name));
    if (told.length === 1) return part(schemas[told[0]!]!, [at]);
    const unknown = Object.keys(found)
      .map((key) => nearestName(key, names))
      .find(Boolean);
    return say(
      [at],
      `expected one of ${names.join(", ")}; got ${told.join(" and ") || Object.keys(found).join(", ") || "none"}${told.length === 0 && unknown ? `: did you mean ${unknown}?` : ""}`,
    );
  };

  const whole = part(rules.schema, []);
  if (isMapping(given)) {
    const parts = Object.entries(rules.kinds).map(([name, schemas]) => [name, kind(schemas, name)] as const);
    if (told.size === 0) {
      const job = {
        ...(whole as object),
        ...Object.fromEntries(parts.filter(([, one]) => one !== undefined)),
      } as Job;
      rules.contradictions(job, say);
      if (told.size === 0) return job;
    }
  }
  throw new WireError([...told.values()].join("\n"));
}

/** Options of {@link tellIssue}. */
interface TellIssueOptions {
  readonly at: Path;
  readonly found: unknown;
  readonly say: Say;
  readonly rules: Pick<MappingRules<never>, "kinds" | "schema" | "secrets">;
}

function tellIssue(issue: core.$ZodIssue, { at, found, say, rules }: TellIssueOptions): void {
  const path = [...at, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) {
      const known = knownKeys(rules, { at, path: issue.path, found });
      const meant = nearestName(key, known);
      say(
        [...path, key],
        `expected one of ${known.join(", ")}; got an unknown key${meant ? `: did you mean ${meant}?` : ""}`,
      );
    }
    return;
  }
  const value = valueAt(found, issue.path);
  // A token, or a URL that may contain a password.
  const isSecret =
    rules.secrets.includes(path.join(".")) || (typeof value === "string" && value.includes("@"));
  const meant =
    issue.code === "invalid_value" && typeof value === "string"
      ? nearestName(value, issue.values.map(String))
      : undefined;
  const options = issue.code === "invalid_value" ? "one of " : "";
  say(
    path,
    `expected ${options}${issue.message}; got ${value === undefined ? "nothing" : isSecret ? "a value that is not shown" : describeValue(value)}${meant ? `: did you mean ${meant}?` : ""}`,
  );
}

/** Options of {@link knownKeys}. */
interface KnownKeysOptions {
  readonly at: Path;
  readonly path: Path;
  readonly found: unknown;
}

/** Returns the keys that the mapping at a path may have. */
function knownKeys(
  { kinds, schema: whole }: Pick<MappingRules<never>, "kinds" | "schema">,
  { at, path, found }: KnownKeysOptions,
): readonly string[] {
  const schemas = kinds[String(at[0])];
  let schema: unknown = schemas
    ? schemas[Object.keys(schemas).find((name) => isMapping(found) && Object.hasOwn(found, name)) ?? ""]
    : whole;
  for (const step of path)
    schema =
      typeof step === "number" ? definitionOf(schema).element : definitionOf(schema).shape?.[String(step)];
  return Object.keys(definitionOf(schema).shape ?? {});
}

interface Definition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly innerType?: unknown;
}

/** Returns the definition of a schema, unwrapped from its optional and default wrappers. */
function definitionOf(schema: unknown): Definition {
  const { def = {} } = (schema as { readonly _zod?: { readonly def: Definition } } | undefined)?._zod ?? {};
  return def.innerType === undefined ? def : definitionOf(def.innerType);
}

/** Options of {@link filledIn}. */
interface FilledInOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: Say;
  readonly secrets: readonly string[];
  readonly path?: Path;
  readonly depth?: number;
}

/**
 * Returns the value with each `${NAME}` at a secret path replaced from the environment. Only whole values are
 * replaced: a partly replaced secret would be an invisible mistake.
 */
function filledIn(
  value: unknown,
  { environment, say, secrets, path = [], depth = 0 }: FilledInOptions,
): unknown {
  if (typeof value === "string") {
    const name = /^\$\{(\w+)\}$/.exec(value)?.[1];
    if (name === undefined) return value;
    if (!secrets.includes(path.join(".")))
      say(
        path,
        `expected a literal value; got ${value}, which is read from the environment only for ${secrets.join(", ")}`,
      );
    const found = environment[name];
    if (!found) say(path, `expected the environment variable ${name} to be set; got none`);
    return found || value;
  }
  // Deeper than any valid job. YAML anchors can create a mapping that contains itself.
  if (depth > 8) return value;
  const inner = (key: string, one: unknown): unknown =>
    filledIn(one, { environment, say, secrets, path: [...path, key], depth: depth + 1 });
  if (Array.isArray(value)) return value.map((one, i) => inner(String(i), one));
  return isMapping(value)
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inner(key, one)]))
    : value;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (found, step) =>
      typeof found === "object" && found !== null && Object.hasOwn(found, step)
        ? (found as Readonly<Record<PropertyKey, unknown>>)[step]
        : undefined,
    value,
  );
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the known name that `name` most likely means, or `undefined` if none is near. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const given = name.toLowerCase().replace(/[-_]/g, "");
  const sorted = (letters: string): string => [...letters].toSorted().join("");
  const edits = (one: string): number =>
    sorted(one) === sorted(given)
      ? Math.min(1, editsBetween(given, one))
      : editsBetween(given.slice(0, 40), one);
  const ranked = known
    .map((one) => ({ one, edits: edits(one.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(best.one.length / 3)) ? best.one : undefined;
}

/**
 * Returns the edit distance: letters to insert, delete, or replace.
 *
 * Source: R. Wagner and M. Fischer, "The string-to-string correction problem", 1974.
 */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
