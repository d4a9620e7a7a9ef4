import { version } from "@sedna-js/core/version";
import { stripVTControlCharacters } from "node:util";
import { defineCommand, renderUsage, runCommand, type CommandDef } from "citty";

// Each command's module is loaded only when the command is used.
const subCommands = {
  serve: async () => (await import("./serve-command.node.ts")).serveCommand as CommandDef,
  aggregate: async () => (await import("./aggregate-command.node.ts")).aggregateCommand as CommandDef,
  simulate: async () => (await import("./simulate-command.node.ts")).simulateCommand as CommandDef,
  keygen: async () => (await import("./keygen-command.node.ts")).keygenCommand as CommandDef,
  publish: async () => (await import("./publish-command.node.ts")).publishCommand as CommandDef,
  trust: async () => (await import("./keygen-command.node.ts")).trustCommand as CommandDef,
} as const;

const main = defineCommand({
  meta: { name: "sedna-cloud", version, description: "The cloud side of sedna-js" },
  subCommands,
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const [, , ...rawArgs] = process.argv;
const command = (Object.keys(subCommands) as (keyof typeof subCommands)[]).find(
  (name) => name === rawArgs[0],
);
const wantsHelp = rawArgs.length === 0 || rawArgs.includes("--help") || rawArgs.includes("-h");
try {
  if (rawArgs[0] === "--version") {
    process.stdout.write(`${version}\n`);
  } else if (wantsHelp) {
    const usage = command ? await renderUsage(await subCommands[command]()) : await renderUsage(main);
    process.stdout.write(`${process.stdout.isTTY ? usage : stripVTControlCharacters(usage)}\n`);
  } else {
    await runCommand(main, { rawArgs });
  }
} catch (error) {
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  const usage = name === "UsageError" || name === "CLIError";
  say(`sedna-cloud: ${stripVTControlCharacters(message)}`);
  if (usage) say(`Try: sedna-cloud ${command ? `${command} ` : ""}--help`);
  process.exit(usage ? 2 : 1);
}
