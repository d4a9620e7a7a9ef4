import { stripVTControlCharacters } from "node:util";
import { defineCommand, renderUsage, runCommand } from "citty";
import { aggregateCommand } from "./aggregate-command.node.ts";
import { keygenCommand, trustCommand } from "./keygen-command.node.ts";
import { publishCommand } from "./publish-command.node.ts";
import { serveCommand } from "./serve-command.node.ts";
import { simulateCommand } from "./simulate-command.node.ts";

const subCommands = { serve: serveCommand, aggregate: aggregateCommand, simulate: simulateCommand, keygen: keygenCommand, publish: publishCommand, trust: trustCommand } as const;

const main = defineCommand({
  meta: { name: "sedna-cloud", version: "0.1.0", description: "The cloud's side of sedna-js" },
  subCommands,
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const [, , ...rawArgs] = process.argv;
const command = (Object.keys(subCommands) as (keyof typeof subCommands)[]).find((name) => name === rawArgs[0]);
const wantsHelp = rawArgs.length === 0 || rawArgs.includes("--help") || rawArgs.includes("-h");
try {
  if (rawArgs[0] === "--version") {
    process.stdout.write("0.1.0\n");
  } else if (wantsHelp) {
    const usage = command ? await renderUsage(subCommands[command] as typeof serveCommand) : await renderUsage(main);
    process.stdout.write(`${process.stdout.isTTY ? usage : stripVTControlCharacters(usage)}\n`);
  } else {
    await runCommand(main, { rawArgs });
  }
} catch (error) {
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  const usage = name === "UsageError" || name === "CLIError";
  say(`sedna-cloud: ${message}`);
  if (usage) say(`Try: sedna-cloud ${command ?? "serve"} --help`);
  process.exit(usage ? 2 : 1);
}
