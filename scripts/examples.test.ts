import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

// Runs every @example of the packages' doc comments that is a ```ts block, and compares what it prints with
// its `// =>` comments. A block that cannot run in Node is marked ```ts browser, and is not run.

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, ".cache/examples");

interface Example {
  readonly name: string;
  readonly code: string;
  readonly expected: readonly string[];
}

async function* sources(directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/(?<!\.test|\.suite|\.generated)\.ts$/.test(entry.name)) yield path;
  }
}

async function examplesOf(packageName: string): Promise<Example[]> {
  const examples: Example[] = [];
  for await (const path of sources(join(root, "packages", packageName, "src"))) {
    const text = await readFile(path, "utf8");
    for (const [, block = ""] of text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm)) {
      const code = block.replace(/^ *\* ?/gm, "");
      const expected = [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, output = ""]) => output.trim());
      examples.push({ name: `${relative(root, path)} #${examples.length + 1}`, code, expected });
    }
  }
  return examples;
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const examples = (await Promise.all(["wasm-kernels", "core", "edge-agent", "cloud"].map(examplesOf))).flat();

describe("the examples in doc comments", () => {
  beforeAll(() => mkdir(folder, { recursive: true }));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("are many", () => expect(examples.length).toBeGreaterThan(15));

  it.each(examples.map((example, i) => [example.name, example, i] as const))(
    "%s runs and prints what it says",
    async (_, { code, expected }, i) => {
      const path = join(folder, `example-${i}.ts`);
      await writeFile(path, code);
      const printed: string[] = [];
      const log = vi
        .spyOn(console, "log")
        .mockImplementation((...values: unknown[]) => void printed.push(values.map(text).join(" ")));
      try {
        await import(/* @vite-ignore */ pathToFileURL(path).href);
      } finally {
        log.mockRestore();
      }
      expect(printed).toEqual(expected);
    },
  );
});
