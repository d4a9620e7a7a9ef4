// Parses Prometheus' text as strictly as its scraper does, so that a test fails if the scraper would.

/** A metric with its series. */
export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/**
 * Returns the metric families of an exposition, by name. Source: Prometheus' exposition formats, text version
 * 0.0.4.
 */
export function parseExposition(text: string): Map<string, MetricFamily> {
  if (!text.endsWith("\n")) throw new Error("expected a line feed at the end");
  const families = new Map<string, MetricFamily>();
  const help = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split("\n")) {
    const about = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line);
    if (about) {
      const [, kind, name, rest] = about as unknown as [string, string, string, string];
      if (kind === "HELP") help.set(name, unescaped(rest));
      else if (families.has(name)) throw new Error(`${name} has two types`);
      else families.set(name, { type: rest, help: help.get(name) ?? "", samples: [] });
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!sample) throw new Error(`expected a sample; got ${JSON.stringify(line)}`);
    const [, name, pairs, value] = sample as unknown as [string, string, string | undefined, string];
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
    if (!family) throw new Error(`${name} comes before its type`);
    const labels = readPairs(pairs ?? "");
    const key = `${name} ${JSON.stringify(Object.entries(labels).toSorted())}`;
    if (seen.has(key)) throw new Error(`${line} duplicates an earlier series`);
    seen.add(key);
    family.samples.push({ name, labels, value: readNumber(value) });
  }
  return families;
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));

function readPairs(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const pair = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/.exec(rest);
    if (!pair) throw new Error(`expected a label; got ${JSON.stringify(rest)}`);
    labels[pair[1]!] = unescaped(pair[2]!);
    rest = rest.slice(pair[0].length);
  }
  return labels;
}

function readNumber(text: string): number {
  if (/^[+-]Inf$/.test(text)) return text.startsWith("+") ? Infinity : -Infinity;
  if (text !== "NaN" && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text))
    throw new Error(`expected a number; got ${text}`);
  return Number(text);
}
