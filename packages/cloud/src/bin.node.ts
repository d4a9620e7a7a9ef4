import { stripVTControlCharacters } from "node:util";
import { defineCommand, renderUsage, runCommand } from "citty";
import { serveCommand } from "./serve-command.node.ts";

const main = defineCommand({
  meta: { name: "sedna-cloud", version: "0.1.0", description: "The cloud's side of sedna-js" },
  subCommands: { serve: serveCommand },
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const [, , ...rawArgs] = process.argv;
const wantsHelp = rawArgs.length === 0 || rawArgs.includes("--help") || rawArgs.includes("-h");
try {
  if (rawArgs.includes("--version")) {
    process.stdout.write("0.1.0\n");
  } else if (wantsHelp) {
    const usage = rawArgs[0] === "serve" ? await renderUsage(serveCommand) : await renderUsage(main);
    process.stdout.write(`${process.stdout.isTTY ? usage : stripVTControlCharacters(usage)}\n`);
  } else {
    await runCommand(main, { rawArgs });
  }
} catch (error) {
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  const usage = name === "UsageError" || name === "CLIError";
  say(`sedna-cloud: ${message}`);
  if (usage) say("Try: sedna-cloud serve --help");
  process.exit(usage ? 2 : 1);
}
