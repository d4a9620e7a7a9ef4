// Writes docs/parameters.md from the declarations of the algorithms. `--check` compares instead; `npm run
// check` does that.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { aggregation, hardExampleMining } from "@sedna-js/core";
import type { ParameterTable } from "@sedna-js/core/check";
import { clientSelection } from "@sedna-js/core/federation";

type Algorithms = Readonly<Record<string, { readonly parameters: ParameterTable }>>;

/** A chapter of the document. */
interface Section {
  readonly title: string;
  readonly text: string;
  readonly algorithms: Algorithms;
  /** Folder of the algorithms' files, whose doc comments say what the parameters mean. */
  readonly folder: string;
}

const sections: readonly Section[] = [
  {
    title: "Miners",
    text: "`hardExampleMining` of a job, and `select(hardExampleMining, ...)`. [miners.md](miners.md) compares them.",
    algorithms: hardExampleMining,
    folder: "packages/core/src/hard-example-mining",
  },
  {
    title: "Aggregation rules",
    text: "`sedna-cloud aggregate --aggregation NAME --param key=value`, and `select(aggregation, ...)`. [aggregation.md](aggregation.md) says what each rule guarantees.",
    algorithms: aggregation,
    folder: "packages/core/src/aggregation",
  },
  {
    title: "Client selectors",
    text: "`select(clientSelection, ...)`, as `rounds.selector` of a federation.",
    algorithms: clientSelection,
    folder: "packages/core/src/federation",
  },
];

const root = new URL("../", import.meta.url);
const path = fileURLToPath(new URL("docs/parameters.md", root));
const text = [
  "# Parameters",
  "The parameters of the algorithms that a job, a command line, or `select` can name. Numbers may also be strings, as in Sedna's jobs. Generated from the code by `npm run docs`.",
  ...sections.map((section) => `## ${section.title}\n\n${section.text}\n\n${table(section)}`),
].join("\n\n");

if (!process.argv.includes("--check")) writeFileSync(path, `${text}\n`);
else if (readFileSync(path, "utf8") !== `${text}\n`) {
  console.error("parameters: docs/parameters.md differs from the declarations: run `npm run docs`");
  process.exit(1);
} else console.log("parameters: docs/parameters.md shows the declared parameters");

function table({ algorithms, folder }: Section): string {
  const files = readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes(".test."))
    .map((name) => readFileSync(new URL(`${folder}/${name}`, root), "utf8"));
  const rows = Object.entries(algorithms).flatMap(([name, { parameters }]) => {
    const declared = Object.entries(parameters);
    if (declared.length === 0) return [[`\`${name}\``, "none", "", "", ""]];
    const declaration = `const ${name} = parameterized(`;
    const own = files.find((text) => text.includes(declaration)) ?? "";
    const [body = ""] = own.slice(own.indexOf(declaration)).split("\nexport ");
    return declared.map(([parameter, { expected, fallback, required }], i) => [
      i === 0 ? `\`${name}\`` : "",
      `\`${parameter}\``,
      expected,
      required ? "required" : (fallback ?? ""),
      [body, own, ...files].map((text) => meaning(text, parameter)).find(Boolean) ?? missing(name, parameter),
    ]);
  });
  const header = [["algorithm", "parameter", "values", "default", "meaning"], Array(5).fill("---")];
  return [...header, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Returns the doc comment above the declaration of a parameter. */
function meaning(text: string, parameter: string): string | undefined {
  const declaration = new RegExp(
    String.raw`/\*\*((?:(?!\*/)[^])*)\*/\s*(?:export const ${parameter} = programParameter|${parameter}(?:: \w+(?:<.*>)?\(|,$))`,
    "m",
  );
  return declaration
    .exec(text)?.[1]
    ?.replaceAll(/\n\s*\* ?/g, " ")
    .trim();
}

function missing(algorithm: string, parameter: string): never {
  throw new Error(`document ${algorithm}: expected a doc comment above its parameter ${parameter}; got none`);
}
